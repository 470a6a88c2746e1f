package logging

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// textHandler writes lines for a person at a terminal:
//
//	15:04:05 INFO  request method=GET path=/v1/foo status=200
//
// It leaves the attributes to slog's own TextHandler, quoting included.
type textHandler struct {
	out   *sink
	attrs slog.Handler
}

// sink is what the copies of one handler share.
type sink struct {
	mu  sync.Mutex
	w   io.Writer
	buf bytes.Buffer // what attrs has written of one line
}

func newTextHandler(w io.Writer, level slog.Level) slog.Handler {
	s := &sink{w: w}
	return textHandler{s, slog.NewTextHandler(&s.buf, &slog.HandlerOptions{Level: level})}
}

func (h textHandler) Enabled(ctx context.Context, l slog.Level) bool { return h.attrs.Enabled(ctx, l) }

func (h textHandler) Handle(ctx context.Context, r slog.Record) error {
	// Without a time and a message, so that attrs writes a head that we know: ours
	// takes its place.
	bare := slog.NewRecord(time.Time{}, r.Level, "", r.PC)
	r.Attrs(func(a slog.Attr) bool {
		bare.AddAttrs(a)
		return true
	})
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	h.out.buf.Reset()
	if err := h.attrs.Handle(ctx, bare); err != nil {
		return err
	}
	_, attrs, _ := bytes.Cut(h.out.buf.Bytes(), []byte(`msg=""`))
	_, err := h.out.w.Write(fmt.Appendf(nil, "%s %-5s %s%s", r.Time.Format("15:04:05"), r.Level, visible(r.Message), attrs))
	return err
}

// visible keeps a message on its line, and from steering the terminal.
func visible(message string) string {
	if strings.ContainsFunc(message, unicode.IsControl) {
		quoted := strconv.Quote(message)
		return quoted[1 : len(quoted)-1]
	}
	return message
}

func (h textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return textHandler{h.out, h.attrs.WithAttrs(attrs)}
}

func (h textHandler) WithGroup(name string) slog.Handler {
	return textHandler{h.out, h.attrs.WithGroup(name)}
}
