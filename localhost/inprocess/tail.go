package inprocess

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/logging"
)

// maxTail is how much of an event's log its caller may ask for ("API_Invoke", LogType).
const maxTail = 4 << 10

// tail is the log of one event.
type tail struct {
	mu   sync.Mutex
	text []byte
}

type tailKey struct{}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if len(t.text) > 2*maxTail {
		t.text = append(t.text[:0], t.text[len(t.text)-maxTail:]...)
	}
	return len(p), nil
}

// last ends the log, and returns the last of it.
func (t *tail) last(requestID string, took time.Duration, memoryMB int) []byte {
	ms := float64(took) / float64(time.Millisecond)
	fmt.Fprintf(t, "END RequestId: %s\n", requestID)
	fmt.Fprintf(t, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB\t\n", requestID, ms, math.Ceil(ms), memoryMB)
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]byte(nil), t.text[max(0, len(t.text)-maxTail):]...)
}

// Tailed returns a log that Function.Invoke can read the end of an event's lines from.
// It is for the App that the functions log to.
func Tailed(log *slog.Logger, c config.Config) *slog.Logger {
	return slog.New(tailed{Handler: log.Handler(), config: c})
}

// tailed writes the lines of an event whose caller asked for them a second time.
type tailed struct {
	slog.Handler
	config config.Config
	with   []func(slog.Handler) slog.Handler
}

func (h tailed) Handle(ctx context.Context, r slog.Record) error {
	if t, ok := ctx.Value(tailKey{}).(*tail); ok {
		second := logging.New(t, h.config).Handler()
		for _, with := range h.with {
			second = with(second)
		}
		_ = second.Handle(ctx, r.Clone()) // into memory: it cannot fail
	}
	return h.Handler.Handle(ctx, r)
}

func (h tailed) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.and(func(one slog.Handler) slog.Handler { return one.WithAttrs(attrs) })
}

func (h tailed) WithGroup(name string) slog.Handler {
	return h.and(func(one slog.Handler) slog.Handler { return one.WithGroup(name) })
}

func (h tailed) and(with func(slog.Handler) slog.Handler) slog.Handler {
	h.Handler = with(h.Handler)
	h.with = append(slices.Clip(h.with), with)
	return h
}
