package queue

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// An Option changes one enqueueing.
type Option func(*options)

type options struct {
	queue   string
	id      string
	at      time.Time     // or
	in      time.Duration // from now
	retries int
	timeout time.Duration
	unique  time.Duration
	keep    time.Duration
	next    []Step
	parent  *Parent
	by      string
	tick    time.Time
	trace   string // instead of the context's
	wrong   []error
}

func (o *options) fail(format string, args ...any) {
	o.wrong = append(o.wrong, fmt.Errorf(format, args...))
}

// To puts the job into another queue than its own.
func To(queue string) Option {
	return func(o *options) {
		if _, ok := Weights()[queue]; !ok {
			o.fail("there is no queue %q", queue)
		}
		o.queue = queue
	}
}

// ID gives the job this id instead of a random one. While a job with the id stands
// in its queue, another is refused with ErrIDTaken.
func ID(id string) Option {
	return func(o *options) {
		if id == "" || strings.ContainsAny(id, " \t\r\n{}/") || len(id) > 200 {
			o.fail("the id %q is empty, over 200 bytes, or has a space, a brace or a slash", id)
		}
		o.id = id
	}
}

// At runs the job at that time, or at once where it is past.
func At(t time.Time) Option { return func(o *options) { o.at, o.in = t, 0 } }

// In runs the job after that delay, to the second.
func In(d time.Duration) Option { return func(o *options) { o.at, o.in = time.Time{}, d } }

// Retries says how often the job may run again after it failed, 0 or more.
func Retries(n int) Option {
	return func(o *options) {
		if n < 0 {
			o.fail("retries are %d, and the least is 0", n)
		}
		o.retries = n
	}
}

// Timeout bounds one run of the job; at least a second.
func Timeout(d time.Duration) Option {
	return func(o *options) {
		if d < time.Second {
			o.fail("the time-out is %s, and the least is 1s", d)
		}
		o.timeout = d
	}
}

// Unique refuses the job with ErrDuplicate while another of its kind, with the same
// arguments and in the same queue, waits or runs; for d at most, counted from when
// the job may run, and at least a second. 0 allows it whatever the kind says.
func Unique(d time.Duration) Option {
	return func(o *options) {
		if d != 0 && d < time.Second {
			o.fail("the time of uniqueness is %s, and the least is 1s", d)
		}
		o.unique = d
	}
}

// Keep leaves the finished job, with its result, in Redis for that long; 0 does not.
func Keep(d time.Duration) Option {
	return func(o *options) {
		if d != 0 && d < time.Second {
			o.fail("the job is to be kept for %s, and the least is 1s", d)
		}
		o.keep = d
	}
}

// By notes who asked for the job: the auth.Owner.
func By(owner string) Option { return func(o *options) { o.by = owner } }

func (d Definition) options(opts []Option) (options, error) {
	o := options{queue: d.Queue, retries: d.Retries, timeout: d.Timeout, unique: d.Unique, keep: d.Keep}
	for _, opt := range opts {
		opt(&o)
	}
	return o, errors.Join(o.wrong...)
}
