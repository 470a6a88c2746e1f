package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// MaxResult is the most bytes that a result may have as JSON.
const MaxResult = 256 << 10

// Run is one run of a job. Its context knows it: see Running.
type Run struct {
	ID      string
	Kind    string
	Queue   string
	Attempt int       // 1 is the first
	Last    bool      // a failure now is the last
	Parent  *Parent   // whose end started this job, or nil
	Tick    time.Time // of a job that runs by a schedule: the time that it names

	result json.RawMessage
}

// Result returns what the job has set as its result, or nil.
func (r *Run) Result() json.RawMessage { return r.result }

type runKey struct{}

// WithRun returns the context of a run. The worker calls it.
func WithRun(ctx context.Context, r *Run) context.Context { return context.WithValue(ctx, runKey{}, r) }

// Running returns the run that a job is in.
func Running(ctx context.Context) (*Run, bool) {
	r, ok := ctx.Value(runKey{}).(*Run)
	return r, ok
}

// SetResult keeps v, as JSON, as the result of the running job. The last one set
// counts. It is there to see for as long as the job is kept (Job.Keep), and for what
// runs after it. Call it in the job's own goroutine.
func SetResult(ctx context.Context, v any) error {
	r, ok := Running(ctx)
	if !ok {
		return errors.New("set a result: no job runs in this context")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("set a result: %w", err)
	}
	if len(b) > MaxResult {
		return fmt.Errorf("set a result: it has %d bytes, and %d are the most", len(b), MaxResult)
	}
	r.result = b
	return nil
}
