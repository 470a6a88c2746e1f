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
	d := Definition{
		Kind: j.Kind, Queue: j.Queue, Retries: j.Retries, Backoff: j.Backoff.withDefaults(), Timeout: j.Timeout,
		Unique: j.Unique, Keep: j.Keep, Limit: j.Limit, Public: j.Public, Schema: j.Schema,
		Canonical: j.canonical, Run: j.run,
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
	say := func(bad bool, format string, args ...any) {
		if bad {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	_, known := Weights()[d.Queue]
	say(d.Kind == "", "Kind is not set")
	say(!does, "Do is not set")
	say(!known, "there is no queue %q", d.Queue)
	say(d.Retries < 0, "Retries is %d: NoRetries means none", d.Retries)
	say(d.Timeout < time.Second, "Timeout is %s, and the least is 1s", d.Timeout)
	say(d.Unique != 0 && d.Unique < time.Second, "Unique is %s, and the least is 1s", d.Unique)
	say(d.Keep != 0 && d.Keep < time.Second, "Keep is %s, and the least is 1s", d.Keep)
	say(d.Limit < 0, "Limit is %d: 0 means none", d.Limit)
	say(d.Public && d.Schema == "", "it is Public and has no Schema")
	return errors.Join(wrong...)
}
