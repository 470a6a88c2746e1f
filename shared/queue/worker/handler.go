package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/logging"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/tally"
	"github.com/tandem-api/tandem/shared/report"
)

// The names of what every line and report of a job carries.
const (
	attrJob     = logging.Job
	attrID      = "jobId"
	attrQueue   = "queue"
	attrAttempt = "attempt"
)

// handler does jobs. It finds them by their exact kind (asynq's own multiplexer also
// matches prefixes, and would do the wrong one).
type handler struct {
	app     *function.App
	jobs    map[string]*queue.Definition
	limits  *limits
	cancels *cancels
	reports *reportLimit
	tally   *tally.Tally
	ended   atomic.Int64 // runs
}

func newHandler(app *function.App, jobs []queue.Declared) (*handler, error) {
	h := &handler{
		app:     app,
		jobs:    make(map[string]*queue.Definition, len(jobs)),
		cancels: &cancels{running: map[string]context.CancelCauseFunc{}},
		tally:   tally.New(),
		reports: &reportLimit{every: time.Minute, last: map[string]time.Time{}},
	}
	var wrong []error
	for _, j := range jobs {
		d, err := j.Definition()
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		if _, twice := h.jobs[d.Kind]; twice {
			wrong = append(wrong, fmt.Errorf("two jobs have the kind %q", d.Kind))
		}
		h.jobs[d.Kind] = &d
	}
	return h, errors.Join(wrong...)
}

// task is one run of a job, with what it carries.
type task struct {
	*queue.Run
	queue.Header
	payload []byte
	ours    bool // package queue enqueued it
}

func (h *handler) read(ctx context.Context, t *asynq.Task) (*task, error) {
	id, _ := asynq.GetTaskID(ctx)
	name, _ := asynq.GetQueueName(ctx)
	failed, _ := asynq.GetRetryCount(ctx)
	header, ours, err := queue.ReadHeader(t.Headers())
	if !ours {
		header.Retries, _ = asynq.GetMaxRetry(ctx)
	}
	if header.Trace == "" {
		header.Trace = id
	}
	return &task{
		Run: &queue.Run{
			ID: id, Kind: t.Type(), Queue: name, Attempt: failed + 1, Last: failed >= header.Retries,
			Parent: header.Parent, Tick: header.Tick,
		},
		Header: header, payload: t.Payload(), ours: ours,
	}, err
}

// describe puts what identifies the job into the context, for logs and reports.
func (t *task) describe(ctx context.Context) context.Context {
	return queue.WithRun(logging.With(ctx,
		slog.String(attrJob, t.Kind), slog.String(attrID, t.ID), slog.String(attrQueue, t.Queue),
		slog.Int(attrAttempt, t.Attempt), slog.String(logging.TraceID, t.Trace)), t.Run)
}

// lastError is an error that no retry follows.
type lastError struct{ error }

func (e lastError) Unwrap() []error { return []error{e.error, asynq.SkipRetry} }

// errLost says that the last attempt ended without a word.
var errLost = errors.New("the last attempt ended without a word: its worker died, Redis was away for longer than 30 s, or the job outlived its time-out by far")

// ProcessTask does one job. It implements asynq.Handler.
func (h *handler) ProcessTask(ctx context.Context, at *asynq.Task) error {
	defer h.ended.Add(1)
	start := time.Now()
	t, err := h.read(ctx, at)
	ctx = t.describe(ctx)
	if err == nil {
		err = h.do(ctx, t)
	} else {
		err = lastError{err}
	}
	if err == nil {
		err = h.succeed(ctx, t, at.ResultWriter())
	} else {
		err = h.fail(ctx, t, err)
	}
	took := time.Since(start)
	h.count(t, err, took)
	if err == nil {
		h.app.Log.LogAttrs(ctx, slog.LevelInfo, "job done", slog.Duration("duration", took))
	}
	return err
}

// count adds the run to the tally. Kinds that nobody knows may be many: they are one.
func (h *handler) count(t *task, err error, took time.Duration) {
	outcome := tally.Retried
	switch {
	case err == nil:
		outcome = tally.Done
	case !isFailure(err):
		outcome = tally.Snoozed
	case errors.Is(err, queue.ErrCancelled):
		outcome = tally.Cancelled
	case errors.Is(err, asynq.SkipRetry):
		outcome = tally.Failed
	}
	kind := t.Kind
	if _, known := h.jobs[kind]; !known {
		kind = "unknown"
	}
	h.tally.Add(kind, t.Queue, outcome, took)
}

func (h *handler) do(ctx context.Context, t *task) error {
	if t.Attempt > t.Retries+1 {
		return errLost
	}
	job, ok := h.jobs[t.Kind]
	if !ok {
		return fmt.Errorf("there is no job of the kind %q here", t.Kind)
	}
	free, err := h.limits.take(ctx, job, t.ID)
	if err != nil {
		return err
	}
	defer free()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	h.cancels.add(t.ID, cancel)
	defer h.cancels.remove(t.ID)
	if end, ok := ctx.Deadline(); ok && t.ours {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadline(ctx, end.Add(-queue.TimeoutGrace))
		defer stop()
	}
	err = h.call(ctx, job, t)
	switch cause := context.Cause(ctx); {
	case err == nil:
	case errors.Is(cause, queue.ErrCancelled):
		return lastError{queue.ErrCancelled}
	case errors.Is(cause, errStopping):
		return fmt.Errorf("%w: %w", queue.Snooze(0), errStopping) // another worker does it
	}
	return err
}

// panicError says that a job panicked.
type panicError struct{ value any }

func (e panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

func (h *handler) call(ctx context.Context, job *queue.Definition, t *task) (err error) {
	defer func() {
		if v := recover(); v != nil {
			// Here, where the stack still is.
			if t.Last || h.reports.allow(t.Kind) {
				h.app.Report.Panic(ctx, v, report.Tags("job"))
			}
			err = panicError{v}
		}
	}()
	return job.Run(ctx, h.app, t.payload)
}

// succeed keeps the result and starts what follows. If it cannot, the job runs again.
func (h *handler) succeed(ctx context.Context, t *task, to *asynq.ResultWriter) error {
	if result := t.Result(); result != nil {
		if _, err := to.Write(result); err != nil {
			return fmt.Errorf("%w: keep the result: %w", queue.Snooze(5*time.Second), err)
		}
	}
	return h.follow(ctx, t, queue.OnSuccess, queue.Parent{ID: t.ID, Kind: t.Kind, Result: t.Result()})
}
