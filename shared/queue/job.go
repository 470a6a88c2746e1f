// Package queue declares jobs and puts them into the queues. A job is a kind plus
// typed arguments; package worker, below this one, does them.
package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-api/tandem/shared/function"
)

// The queues. A worker takes from them by weight, 6:3:1 unless it is told otherwise.
const (
	Critical = "critical"
	Default  = "default"
	Low      = "low"
)

// Weights returns how often a worker takes from each queue where it has the choice.
func Weights() map[string]int { return map[string]int{Critical: 6, Default: 3, Low: 1} }

// What a job gets that says nothing about it.
const (
	DefaultRetries = 10
	DefaultTimeout = 30 * time.Minute
	// NoRetries is for Job.Retries: the first failure is the last.
	NoRetries = -1
)

// A Job is a kind of work: what it is called, what it takes and what it does. It is
// declared once, as a package variable in shared/workers, and listed in workers.All.
type Job[Args any] struct {
	// Kind is the name under which the job stands in Redis. Jobs that wait there
	// keep it: to rename a kind, keep the old one until its queue is empty.
	Kind string
	// Queue is Critical, Default or Low; empty means Default.
	Queue string
	// Retries is how often the job may run again after it has failed. 0 means
	// DefaultRetries.
	Retries int
	// Timeout ends the context of Do. 0 means DefaultTimeout.
	Timeout time.Duration
	// Do does the work. It may run more than once for one enqueueing, even after it
	// succeeded (a worker may die before it could say so): write it so that this
	// does no harm. The context ends at the time-out and when the job is cancelled.
	Do func(ctx context.Context, app *function.App, args Args) error
}

// Declared is a Job of any Args, as a worker sees it.
type Declared interface {
	Definition() (Definition, error)
}

// Definition is a job without its types.
type Definition struct {
	Kind    string
	Queue   string
	Retries int // 0 or more
	Timeout time.Duration
	// Run reads the payload and does the job. The error is an *UnreadableError where
	// the payload does not fit the arguments.
	Run func(ctx context.Context, app *function.App, payload []byte) error
}

// UnreadableError says that a payload does not fit a kind's arguments. No retry can
// mend it.
type UnreadableError struct {
	Kind string
	Err  error
}

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("unreadable arguments for %s: %v", e.Kind, e.Err)
}

func (e *UnreadableError) Unwrap() error { return e.Err }

// Definition returns the job with its defaults filled in, or what is wrong with how
// it is declared.
func (j Job[Args]) Definition() (Definition, error) {
	d := Definition{Kind: j.Kind, Queue: j.Queue, Retries: j.Retries, Timeout: j.Timeout, Run: j.run}
	if d.Queue == "" {
		d.Queue = Default
	}
	switch d.Retries {
	case 0:
		d.Retries = DefaultRetries
	case NoRetries:
		d.Retries = 0
	}
	if d.Timeout == 0 {
		d.Timeout = DefaultTimeout
	}
	var wrong []error
	if d.Kind == "" {
		wrong = append(wrong, errors.New("a job has no Kind"))
	}
	if j.Do == nil {
		wrong = append(wrong, fmt.Errorf("job %s: Do is not set", j.Kind))
	}
	if d.Retries < 0 {
		wrong = append(wrong, fmt.Errorf("job %s: Retries is %d: use NoRetries for none", j.Kind, j.Retries))
	}
	if d.Timeout < time.Second {
		wrong = append(wrong, fmt.Errorf("job %s: Timeout is %s, and the least is 1s", j.Kind, j.Timeout))
	}
	return d, errors.Join(wrong...)
}

func (j Job[Args]) run(ctx context.Context, app *function.App, payload []byte) error {
	args, err := decode[Args](payload)
	if err != nil {
		return &UnreadableError{Kind: j.Kind, Err: err}
	}
	return j.Do(ctx, app, args)
}
