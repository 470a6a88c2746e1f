package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/logging"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/report"
)

// The names of what every line and report of a job carries.
const (
	attrJob     = "job"
	attrID      = "jobId"
	attrQueue   = "queue"
	attrAttempt = "attempt"
)

// handler does jobs. It finds them by their exact kind (asynq's own multiplexer also
// matches prefixes, and would do the wrong one).
type handler struct {
	app  *function.App
	jobs map[string]queue.Definition
}

func newHandler(app *function.App, jobs []queue.Declared) (*handler, error) {
	h := &handler{app: app, jobs: make(map[string]queue.Definition, len(jobs))}
	var wrong []error
	for _, j := range jobs {
		d, err := j.Definition()
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		if _, twice := h.jobs[d.Kind]; twice {
			wrong = append(wrong, fmt.Errorf("two jobs have the kind %s", d.Kind))
		}
		h.jobs[d.Kind] = d
	}
	return h, errors.Join(wrong...)
}

// errLost says that the last attempt ended without a word.
var errLost = errors.New("the worker died during the last attempt, or the job outlived its time-out")

// lastError is an error that no retry follows.
type lastError struct{ error }

func (e lastError) Unwrap() []error { return []error{e.error, asynq.SkipRetry} }

// panicError says that a job panicked. It has been reported, with its stack.
type panicError struct{ value any }

func (e panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// ProcessTask does one job. It implements asynq.Handler.
func (h *handler) ProcessTask(ctx context.Context, t *asynq.Task) error {
	run := attempt(ctx, t)
	ctx = h.describe(ctx, t, run)
	start := time.Now()
	err := h.do(ctx, t, run)
	if err == nil {
		h.app.Log.LogAttrs(ctx, slog.LevelInfo, "job done", slog.Duration("duration", time.Since(start)))
		return nil
	}
	if _, unreadable := errors.AsType[*queue.UnreadableError](err); unreadable || run.number > run.retries {
		return lastError{err}
	}
	return err
}

func (h *handler) do(ctx context.Context, t *asynq.Task, run try) error {
	if run.number > run.retries+1 {
		return errLost
	}
	job, ok := h.jobs[t.Type()]
	if !ok {
		return fmt.Errorf("there is no job of the kind %q here", t.Type())
	}
	if end, ok := ctx.Deadline(); ok && run.ours {
		within, cancel := context.WithDeadline(ctx, end.Add(-queue.TimeoutGrace))
		defer cancel()
		ctx = within
	}
	return h.call(ctx, job, t.Payload())
}

func (h *handler) call(ctx context.Context, job queue.Definition, payload []byte) (err error) {
	defer func() {
		if v := recover(); v != nil {
			h.app.Report.Panic(ctx, v, report.Tags("job"))
			err = panicError{v}
		}
	}()
	return job.Run(ctx, h.app, payload)
}

// try says which run of a job this is.
type try struct {
	number  int  // the first is 1
	retries int  // how often it may run again after it failed
	ours    bool // it was enqueued by package queue
}

func attempt(ctx context.Context, t *asynq.Task) try {
	done, _ := asynq.GetRetryCount(ctx)
	most, _ := asynq.GetMaxRetry(ctx)
	run := try{number: done + 1, retries: most}
	if n, err := strconv.Atoi(t.Headers()[queue.HeaderRetries]); err == nil {
		run.retries, run.ours = n, true
	}
	return run
}

// describe puts what identifies the job into the context, for logs and reports.
func (h *handler) describe(ctx context.Context, t *asynq.Task, run try) context.Context {
	id, _ := asynq.GetTaskID(ctx)
	name, _ := asynq.GetQueueName(ctx)
	trace := t.Headers()[queue.HeaderTrace]
	if trace == "" {
		trace = id
	}
	return logging.With(ctx, slog.String(attrJob, t.Type()), slog.String(attrID, id), slog.String(attrQueue, name),
		slog.Int(attrAttempt, run.number), slog.String(logging.TraceID, trace))
}

// failed logs and reports an attempt that failed. asynq calls it once for each, the
// ones that it ended itself included.
func (h *handler) failed(ctx context.Context, t *asynq.Task, err error) {
	run := attempt(ctx, t)
	ctx = h.describe(ctx, t, run)
	last := errors.Is(err, asynq.SkipRetry)
	h.app.Log.LogAttrs(ctx, slog.LevelError, "job failed", slog.Any("error", err), slog.Bool("last", last))
	if _, reported := errors.AsType[panicError](err); !reported {
		h.app.Report.Notify(ctx, err, report.Tags("job"))
	}
}

// delay is how long a failed job waits. A job whose worker died has done nothing
// wrong, and has waited long enough.
func (h *handler) delay(retried int, err error, t *asynq.Task) time.Duration {
	if errors.Is(err, asynq.ErrLeaseExpired) {
		return 0
	}
	return asynq.DefaultRetryDelayFunc(retried, err, t)
}
