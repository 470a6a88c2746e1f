package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-api/tandem/shared/function"
)

// What a job gets that says nothing about it.
const (
	DefaultRetries = 10
	DefaultTimeout = 30 * time.Minute
	// NoRetries is for Job.Retries: the first failure is the last.
	NoRetries = -1
)

// Definition is a job without its types, and with its defaults filled in.
type Definition struct {
	Kind    string
	Queue   string
	Retries int // 0 or more
	Backoff Backoff
	Timeout time.Duration
	Unique  time.Duration
	Keep    time.Duration
	Limit   int
	Public  bool
	Schema  string
	// Canonical returns arguments as Job.Enqueue writes them, or an *UnreadableError.
	Canonical func(payload []byte) ([]byte, error)
	// Run reads the payload and does the job. The error is an *UnreadableError where
	// the payload does not fit the arguments.
	Run func(ctx context.Context, app *function.App, payload []byte) error
}

// Definition returns the job with its defaults filled in, or what is wrong with how
// it is declared.
func (j Job[Args]) Definition() (Definition, error) {
	d, err := j.settled()
	d.Canonical, d.Run = j.canonical, j.run
	return d, err
}

// settled is Definition without what only a worker and a client over HTTP need: each
// enqueueing asks for it.
func (j Job[Args]) settled() (Definition, error) {
	d := Definition{
		Kind: j.Kind, Queue: j.Queue, Retries: j.Retries, Backoff: j.Backoff.withDefaults(), Timeout: j.Timeout,
		Unique: j.Unique, Keep: j.Keep, Limit: j.Limit, Public: j.Public, Schema: j.Schema,
	}
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
	if err := d.check(j.Do != nil); err != nil {
		return d, fmt.Errorf("job %q: %w", j.Kind, err)
	}
	return d, nil
}

func (d Definition) check(does bool) error {
	var wrong []error
	say := func(bad bool, text string) {
		if bad {
			wrong = append(wrong, errors.New(text))
		}
	}
	say(d.Kind == "", "Kind is not set")
	say(!does, "Do is not set")
	say(d.Public && d.Schema == "", "it is Public and has no Schema")
	switch d.Queue { // Weights would make a map for each enqueueing
	case Critical, Default, Low:
	default:
		wrong = append(wrong, fmt.Errorf("there is no queue %q", d.Queue))
	}
	notBelow := func(name string, value int, none string) {
		if value < 0 {
			wrong = append(wrong, fmt.Errorf("%s is %d: %s means none", name, value, none))
		}
	}
	notBelow("Retries", d.Retries, "NoRetries")
	notBelow("Limit", d.Limit, "0")
	// 0 means that there is none; the time-out has its default by now.
	least := func(name string, value time.Duration) {
		if value != 0 && value < time.Second {
			wrong = append(wrong, fmt.Errorf("%s is %s, and the least is 1s", name, value))
		}
	}
	least("Timeout", d.Timeout)
	least("Unique", d.Unique)
	least("Keep", d.Keep)
	return errors.Join(wrong...)
}
