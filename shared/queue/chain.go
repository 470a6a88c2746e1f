package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/tandem-api/tandem/shared/function"
)

// When a child runs.
const (
	OnSuccess = "success"
	OnFailure = "failure" // the last one, after which no retry follows
)

// A Step is a job with its arguments, to run after another: see Then and OrElse.
type Step struct {
	Kind    string          `json:"kind"`
	Args    json.RawMessage `json:"args"`
	On      string          `json:"on"`
	Queue   string          `json:"queue"`
	Retries int             `json:"retries"`
	Timeout time.Duration   `json:"timeout"`
	Delay   time.Duration   `json:"delay,omitempty"`
	Unique  time.Duration   `json:"unique,omitempty"`
	Keep    time.Duration   `json:"keep,omitempty"`
	Next    []Step          `json:"next,omitempty"`

	err error
}

// Parent is the job whose end started this one.
type Parent struct {
	ID     string          `json:"id"`
	Kind   string          `json:"kind"`
	Result json.RawMessage `json:"result,omitempty"` // if it succeeded and set one
	Error  string          `json:"error,omitempty"`  // if it failed for good
}

// With returns the job with its arguments as a step of a chain. The options ID and
// At do not fit a step.
func (j Job[Args]) With(args Args, opts ...Option) Step {
	d, err := j.Definition()
	if err != nil {
		return Step{err: err}
	}
	payload, err := json.Marshal(args)
	if err != nil {
		return Step{err: fmt.Errorf("arguments of %s: %w", j.Kind, err)}
	}
	o, err := d.options(opts)
	if o.id != "" || !o.at.IsZero() {
		err = errors.Join(err, fmt.Errorf("step %s: ID and At do not fit a step", j.Kind))
	}
	return Step{
		Kind: j.Kind, Args: payload, Queue: o.queue, Retries: o.retries, Timeout: o.timeout,
		Delay: o.in, Unique: o.unique, Keep: o.keep, Next: o.next, err: err,
	}
}

// Then runs the steps once the job has succeeded, each as a job of its own, which
// finds the parent's result in its Run.
func Then(steps ...Step) Option { return follow(OnSuccess, steps) }

// OrElse runs the steps once the job has failed for good.
func OrElse(steps ...Step) Option { return follow(OnFailure, steps) }

func follow(on string, steps []Step) Option {
	return func(o *options) {
		for _, s := range steps {
			s.On = on
			o.next = append(o.next, s)
			o.wrong = append(o.wrong, s.err)
		}
	}
}

// Follow enqueues the step as a job with that id, because another one has ended.
func (s Step) Follow(ctx context.Context, app *function.App, id string, parent Parent) (Info, error) {
	o := s.options(id)
	o.parent = &parent
	return enqueue(ctx, app, s.Kind, s.Args, o)
}

func (s Step) options(id string) options {
	return options{
		queue: s.Queue, id: id, in: s.Delay, retries: s.Retries, timeout: s.Timeout,
		unique: s.Unique, keep: s.Keep, next: s.Next,
	}
}

// ChildID returns the id of the step at that place in its parent's list. It is
// fixed, so that a parent that runs twice does not have its children twice.
func ChildID(parent string, place int) string { return parent + "." + strconv.Itoa(place+1) }
