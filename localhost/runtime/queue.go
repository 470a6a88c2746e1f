package lambda

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// QueueOptions say how asynchronous events are kept and tried. The defaults are
// Lambda's (AWS docs "invocation-async-error-handling"), but for Limit.
type QueueOptions struct {
	// Retries are the waits before the second attempt, the third, and so on: 1 and
	// 2 minutes by default. Not nil but empty: no retries.
	Retries []time.Duration
	// Backoff is the first wait after a throttled attempt, 1 s by default. It doubles
	// up to 5 minutes. Such attempts do not count.
	Backoff time.Duration
	// MaxAge is when an event is given up that has still not been tried: 6 h by default.
	MaxAge time.Duration
	// Limit is how many events the queue holds, 1,000 by default.
	Limit int
	// OnFailure is told of each event that was given up, or is nil.
	OnFailure func(Abandoned)
	// Log is told too.
	Log *slog.Logger
}

// Abandoned is an event that has failed for good.
type Abandoned struct {
	Function   string
	Invocation Invocation
	Attempts   int    // that ran
	Result     Result // of the last attempt that ran
	Err        error  // why the last attempt did not run or did not succeed
}

// ErrQueueFull says that the queue holds as many events as it may.
var ErrQueueFull = errors.New("the queue of asynchronous events is full")

const maxBackoff = 5 * time.Minute

// Queue runs events that nobody waits for. It is held in memory: what is in it when
// it is closed is lost.
type Queue struct {
	options QueueOptions
	closing context.Context // ends when the queue takes and retries no more
	close   context.CancelFunc

	mu      sync.Mutex
	held    int
	lost    int
	closed  bool
	running sync.WaitGroup
}

// NewQueue returns an empty queue. Close it.
func NewQueue(o QueueOptions) *Queue {
	if o.Retries == nil {
		o.Retries = []time.Duration{time.Minute, 2 * time.Minute}
	}
	o.Backoff = orDefault(o.Backoff, time.Second)
	o.MaxAge = orDefault(o.MaxAge, 6*time.Hour)
	o.Limit = orDefault(o.Limit, 1000)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	q := &Queue{options: o}
	q.closing, q.close = context.WithCancel(context.Background())
	return q
}

// Put takes an event for a function, and runs it at once if the function is free. It
// returns ErrQueueFull, ErrClosed or a *TooLargeError if it cannot.
func (q *Queue) Put(function string, invoke Invoke, inv Invocation) error {
	if len(inv.Payload) > MaxAsyncPayload {
		return &TooLargeError{len(inv.Payload), MaxAsyncPayload}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return ErrClosed
	case q.held >= q.options.Limit:
		return ErrQueueFull
	}
	q.held++
	inv = inv.complete(time.Now()) // all attempts have one request id
	q.running.Go(func() { q.run(function, invoke, inv) })
	return nil
}

// Held returns how many events are in the queue, those that run included.
func (q *Queue) Held() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held
}

// run tries an event until it succeeds, is given up, or is lost.
func (q *Queue) run(function string, invoke Invoke, inv Invocation) {
	born := time.Now()
	a := Abandoned{Function: function, Invocation: inv}
	backoff := q.options.Backoff
	for {
		// The event goes on to its end even when the queue is closed meanwhile.
		result, err := invoke(context.WithoutCancel(q.closing), inv)
		var wait time.Duration
		switch {
		case err == nil && result.FunctionError == "":
			q.settle(nil, false)
			return
		case is[*ThrottledError](err):
			a.Err = err
			wait = backoff/2 + rand.N(backoff/2+1)
			backoff = min(2*backoff, maxBackoff)
		case err != nil: // another attempt would end the same way
			a.Err = err
			q.settle(&a, errors.Is(err, ErrClosed))
			return
		default:
			a.Attempts++
			a.Result, a.Err = result, result.Err()
			if a.Attempts > len(q.options.Retries) || a.Attempts == inv.Attempts {
				q.settle(&a, false)
				return
			}
			wait = q.options.Retries[a.Attempts-1]
		}
		if time.Since(born)+wait > q.options.MaxAge {
			q.settle(&a, false)
			return
		}
		select {
		case <-time.After(wait):
		case <-q.closing.Done():
			q.settle(&a, true)
			return
		}
	}
}

// settle lets an event go: it succeeded (nil), failed for good, or is lost.
func (q *Queue) settle(a *Abandoned, lost bool) {
	if a != nil {
		why := "an asynchronous event has failed for good"
		if lost {
			why = "an asynchronous event is lost: the host stops before its next attempt"
		}
		q.options.Log.Error(why, "function", a.Function, "requestId", a.Invocation.RequestID, "attempts", a.Attempts, "error", a.Err)
		if !lost && q.options.OnFailure != nil {
			q.options.OnFailure(*a)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held--
	if lost {
		q.lost++
	}
}

// Close takes no more events. Those that run may finish until the context ends; those
// that wait for another attempt are lost. It returns how many are.
func (q *Queue) Close(ctx context.Context) (lost int, err error) {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.close()
	done := make(chan struct{})
	go func() {
		q.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		err = fmt.Errorf("close the queue of asynchronous events: %w", context.Cause(ctx))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost + q.held, err
}
