package function

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/tandem-api/tandem/shared/logging"
)

// EventHandler takes an event that is no request, a scheduler's for example, and
// returns what goes back to the caller, as JSON. On Lambda the context ends when the
// process is about to be killed.
type EventHandler func(ctx context.Context, event json.RawMessage) (any, error)

// EventHandler returns what takes the function's events, or nil where it takes
// requests only. It logs a line an event. Whoever sends events reads no answer, so an
// error, or a panic, is also reported.
func (f Function) EventHandler(app *App) (EventHandler, error) {
	if f.Events == nil {
		return nil, nil
	}
	handle, err := f.Events(app)
	if err != nil {
		return nil, fmt.Errorf("function %s: %w", f.Name, err)
	}
	return func(ctx context.Context, event json.RawMessage) (answer any, err error) {
		ctx = logging.With(ctx, slog.String(logging.Function, f.Name))
		start := time.Now()
		defer func() {
			if v := recover(); v != nil {
				app.Report.Panic(ctx, v)
				answer, err = nil, fmt.Errorf("panic: %v", v)
			} else if err != nil {
				app.Report.Notify(ctx, err)
			}
			level, attrs := slog.LevelInfo, []slog.Attr{slog.Duration("duration", time.Since(start))}
			if err != nil {
				level, attrs = slog.LevelError, append(attrs, slog.Any("error", err))
			}
			app.Log.LogAttrs(ctx, level, "event", attrs...)
		}()
		return handle(ctx, event)
	}, nil
}
