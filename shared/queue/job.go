// Package queue declares jobs and puts them into the queues. A job is a kind plus
// typed arguments; package worker, below this one, does them.
package queue

import (
	"context"
	"encoding/json"
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

// A Job is a kind of work: what it is called, what it takes and what it does. It is
// declared once, as a package variable in shared/workers, and listed in workers.All.
// Only Kind and Do are needed.
type Job[Args any] struct {
	// Kind is the name under which the job stands in Redis. Jobs that wait there
	// keep it: to rename a kind, keep the old one until its queue is empty.
	Kind string
	// Queue is Critical, Default or Low; empty means Default.
	Queue string
	// Retries is how often the job may run again after it has failed. 0 means
	// DefaultRetries, NoRetries none.
	Retries int
	// Backoff says how long it waits in between.
	Backoff Backoff
	// Timeout ends the context of Do. 0 means DefaultTimeout, a second is the least.
	Timeout time.Duration
	// Unique refuses the job while one with the same arguments stands in the same
	// queue, for that long at most: see the option Unique. 0 means no such rule.
	Unique time.Duration
	// Keep is how long the finished job, with its result, stays in Redis. 0 means
	// that it is gone once it has succeeded.
	Keep time.Duration
	// Limit is how many of this kind may run at once, over all workers. 0 means as
	// many as there is room for.
	Limit int
	// Schedules are when the job runs by itself.
	Schedules []Schedule[Args]
	// Public lets clients ask for the job over HTTP. It needs a Schema.
	Public bool
	// Schema is a JSON Schema that arguments from outside must fit.
	Schema string
	// Do does the work. It may run more than once for one enqueueing, even after it
	// succeeded (a worker may die before it could say so): write it so that this
	// does no harm. The context ends at the time-out and when the job is cancelled.
	// An error is a failure, and the job runs again; see SkipRetry and Snooze.
	Do func(ctx context.Context, app *function.App, args Args) error
}

// Declared is a Job of any Args, as a worker sees it.
type Declared interface {
	Definition() (Definition, error)
	Timed() ([]Timed, error)
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

func (j Job[Args]) run(ctx context.Context, app *function.App, payload []byte) error {
	args, err := decode[Args](payload)
	if err != nil {
		return &UnreadableError{Kind: j.Kind, Err: err}
	}
	return j.Do(ctx, app, args)
}

func (j Job[Args]) canonical(payload []byte) ([]byte, error) {
	args, err := decode[Args](payload)
	if err != nil {
		return nil, &UnreadableError{Kind: j.Kind, Err: err}
	}
	return json.Marshal(args)
}

// decode reads arguments. A member that Args does not know is left out: a newer
// process may have sent it.
func decode[Args any](payload []byte) (Args, error) {
	var args Args
	err := json.Unmarshal(payload, &args)
	return args, err
}
