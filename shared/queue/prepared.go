package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/logging"
)

// Prepared is a job that is to be enqueued later, by whoever reads its JSON.
type Prepared struct {
	ID    string    `json:"id"`
	Step  Step      `json:"step"`
	At    time.Time `json:"at,omitzero"` // when it may run
	Trace string    `json:"trace,omitempty"`
	By    string    `json:"owner,omitempty"`
}

// KeepPrepared is how long at least such a job stays in Redis after it is done, so that
// one who enqueues it again, not knowing that it has been, finds it there.
const KeepPrepared = time.Minute

// Prepare returns the job with its arguments, to be enqueued later. A delay (In) counts
// from now.
func (j Job[Args]) Prepare(ctx context.Context, args Args, opts ...Option) (Prepared, error) {
	d, err := j.Definition()
	if err != nil {
		return Prepared{}, err
	}
	payload, err := json.Marshal(args)
	if err != nil {
		return Prepared{}, fmt.Errorf("prepare %s: %w", j.Kind, err)
	}
	o, err := d.options(opts)
	if err != nil {
		return Prepared{}, fmt.Errorf("prepare %s: %w", j.Kind, err)
	}
	p := Prepared{
		ID: o.id, At: o.at, Trace: logging.Value(ctx, logging.TraceID), By: o.by,
		Step: Step{
			Kind: j.Kind, Args: payload, Queue: o.queue, Retries: o.retries, Timeout: o.timeout,
			Unique: o.unique, Keep: max(o.keep, KeepPrepared), Next: o.next,
		},
	}
	if p.ID == "" {
		p.ID = uuid.NewString()
	}
	if o.in > 0 {
		p.At = time.Now().Add(o.in)
	}
	return p, nil
}

// ErrUnfit says that a prepared job cannot be enqueued at all.
var ErrUnfit = errors.New("the prepared job cannot be enqueued")

// EnqueuePrepared enqueues a job from the JSON of a Prepared.
func EnqueuePrepared(ctx context.Context, app *function.App, text []byte) (Info, error) {
	var p Prepared
	if err := json.Unmarshal(text, &p); err != nil {
		return Info{}, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	if p.ID == "" || p.Step.Kind == "" || p.Step.Queue == "" {
		return Info{}, fmt.Errorf("%w: its id, kind or queue is missing", ErrUnfit)
	}
	o := p.Step.options(p.ID)
	o.at, o.by, o.trace = p.At, p.By, p.Trace
	return enqueue(ctx, app, p.Step.Kind, p.Step.Args, o)
}
