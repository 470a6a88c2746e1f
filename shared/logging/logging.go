// Package logging makes the slog loggers. What a context carries (the request's
// id, the function's name, a job's kind) is in every line logged with it.
package logging

import (
	"context"
	"io"
	"log/slog"
	"slices"

	"github.com/tandem-api/tandem/shared/config"
)

// The names of the attributes that tie lines, reports and answers together.
const (
	Function  = "function"
	RequestID = "requestId"
	TraceID   = "traceId"
	Job       = "job" // the kind of a job
)

// New returns a logger that writes a line an event to w: JSON, or text for a
// terminal. Lines of a context carry the attributes that With put into it.
func New(w io.Writer, c config.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	var h slog.Handler
	if c.LogFormat == "json" {
		h = slog.NewJSONHandler(w, options)
	} else {
		h = newTextHandler(w, c.LogLevel)
	}
	return slog.New(contextHandler{Handler: h, root: h})
}

type contextKey struct{}

// With returns a context whose log lines and reports carry the attributes too. An
// attribute of the same name is replaced.
func With(ctx context.Context, attrs ...slog.Attr) context.Context {
	old := Attrs(ctx)
	all := make([]slog.Attr, 0, len(old)+len(attrs))
	for _, o := range old {
		if !slices.ContainsFunc(attrs, func(a slog.Attr) bool { return a.Key == o.Key }) {
			all = append(all, o)
		}
	}
	return context.WithValue(ctx, contextKey{}, append(all, attrs...))
}

// Attrs returns what With put into the context, oldest first. Do not change it.
func Attrs(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(contextKey{}).([]slog.Attr)
	return attrs
}

// Value returns one attribute of the context as text, or "" where it is not set.
func Value(ctx context.Context, key string) string {
	for _, a := range Attrs(ctx) {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

// contextHandler adds the context's attributes to each line, outside of any group: a
// line is found by its request's id, wherever it was logged.
type contextHandler struct {
	slog.Handler                                   // with all that follows
	root         slog.Handler                      // up to the first group
	grouped      []func(slog.Handler) slog.Handler // from the first group on
}

func (h contextHandler) Handle(ctx context.Context, r slog.Record) error {
	attrs := Attrs(ctx)
	switch {
	case len(attrs) == 0:
	case h.grouped == nil:
		r.AddAttrs(attrs...)
	default:
		all := h.root.WithAttrs(attrs)
		for _, again := range h.grouped {
			all = again(all)
		}
		return all.Handle(ctx, r)
	}
	return h.Handler.Handle(ctx, r)
}

func (h contextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.with(len(h.grouped) > 0, func(to slog.Handler) slog.Handler { return to.WithAttrs(attrs) })
}

func (h contextHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(true, func(to slog.Handler) slog.Handler { return to.WithGroup(name) })
}

func (h contextHandler) with(grouped bool, f func(slog.Handler) slog.Handler) slog.Handler {
	h.Handler = f(h.Handler)
	if grouped {
		h.grouped = append(slices.Clip(h.grouped), f)
	} else {
		h.root = h.Handler
	}
	return h
}
