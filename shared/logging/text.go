package logging

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
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
	buf bytes.Buffer
}

func newTextHandler(w io.Writer, level slog.Level) slog.Handler {
	s := &sink{w: w}
	return textHandler{s, slog.NewTextHandler(&s.buf, &slog.HandlerOptions{
		Level: level,
		// The head of the line says these already.
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
				return slog.Attr{}
			}
			return a
		},
	})}
}

func (h textHandler) Enabled(ctx context.Context, l slog.Level) bool { return h.attrs.Enabled(ctx, l) }

func (h textHandler) Handle(ctx context.Context, r slog.Record) error {
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	h.out.buf.Reset()
	// A line break in a message would start a line that nothing has logged.
	message := strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(r.Message)
	fmt.Fprintf(&h.out.buf, "%s %-5s %s ", r.Time.Format("15:04:05"), r.Level, message)
	if err := h.attrs.Handle(ctx, r); err != nil {
		return err
	}
	_, err := h.out.w.Write(append(bytes.TrimRight(h.out.buf.Bytes(), " \n"), '\n'))
	return err
}

func (h textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return textHandler{h.out, h.attrs.WithAttrs(attrs)}
}

func (h textHandler) WithGroup(name string) slog.Handler {
	return textHandler{h.out, h.attrs.WithGroup(name)}
}
