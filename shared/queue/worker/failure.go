package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/report"
)

// fail says what becomes of a job whose run ended with err: it runs again, or this
// was the last time.
func (h *handler) fail(ctx context.Context, t *task, err error) error {
	if _, ok := errors.AsType[*queue.SnoozeError](err); ok {
		return err
	}
	_, unreadable := errors.AsType[*queue.UnreadableError](err)
	if !t.Last && !unreadable && !errors.Is(err, queue.SkipRetry) {
		return err
	}
	if !errors.Is(err, queue.ErrCancelled) {
		parent := queue.Parent{ID: t.ID, Kind: t.Kind, Error: err.Error()}
		if later := h.follow(ctx, t, queue.OnFailure, parent); later != nil {
			return later
		}
	}
	return lastError{err}
}

// follow starts the steps that follow the job. Where Redis does not let it, the job
// runs again a little later, and counts no failure for it.
func (h *handler) follow(ctx context.Context, t *task, on string, parent queue.Parent) error {
	for place, step := range t.Next {
		if step.On != on {
			continue
		}
		_, err := step.Follow(ctx, h.app, queue.ChildID(t.ID, place), parent)
		if err != nil && !errors.Is(err, queue.ErrIDTaken) && !errors.Is(err, queue.ErrDuplicate) {
			h.app.Log.WarnContext(ctx, "what follows the job could not be enqueued", "step", step.Kind, "error", err)
			return queue.Snooze(5 * time.Second)
		}
	}
	return nil
}

// failed logs and reports an attempt that failed. asynq calls it once for each, the
// ones that it ended itself included.
func (h *handler) failed(ctx context.Context, at *asynq.Task, err error) {
	t, _ := h.read(ctx, at)
	ctx = t.describe(ctx)
	last := errors.Is(err, asynq.SkipRetry)
	switch {
	case !isFailure(err):
		h.app.Log.LogAttrs(ctx, slog.LevelInfo, "job snoozed", slog.Any("why", err))
		return
	case errors.Is(err, queue.ErrCancelled):
		h.app.Log.LogAttrs(ctx, slog.LevelInfo, "job cancelled")
		return
	}
	h.app.Log.LogAttrs(ctx, slog.LevelError, "job failed", slog.Any("error", err), slog.Bool("last", last))
	if _, panicked := errors.AsType[panicError](err); panicked {
		return // reported with its stack
	}
	if final, ok := errors.AsType[lastError](err); ok {
		err = final.error // the same fault as that of the earlier attempts
	}
	if last || h.reports.allow(t.Kind) {
		h.app.Report.Notify(ctx, err, report.Tags("job"))
	}
}

// isFailure tells asynq which errors count.
func isFailure(err error) bool {
	_, snoozed := errors.AsType[*queue.SnoozeError](err)
	return err != nil && !snoozed
}

// delay is how long a job waits until it runs again. It implements
// asynq.RetryDelayFunc.
func (h *handler) delay(retried int, err error, at *asynq.Task) time.Duration {
	if s, ok := errors.AsType[*queue.SnoozeError](err); ok {
		return s.For
	}
	if errors.Is(err, asynq.ErrLeaseExpired) {
		return 0 // its worker died: it has done nothing wrong, and has waited long enough
	}
	var b queue.Backoff // an unknown kind has the default
	if job, known := h.jobs[at.Type()]; known {
		b = job.Backoff
	}
	return b.After(retried + 1)
}

// reportLimit lets the failures of one kind through once in a while.
type reportLimit struct {
	every time.Duration
	mu    sync.Mutex
	last  map[string]time.Time
}

func (l *reportLimit) allow(kind string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if last, ok := l.last[kind]; ok && now.Sub(last) < l.every {
		return false
	}
	l.last[kind] = now
	return true
}
