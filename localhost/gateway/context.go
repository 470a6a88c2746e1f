package gateway

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/function"
)

// span is the part of a call that makes it a context. Most functions ask little of
// theirs, so that what costs is made for who asks.
type span struct {
	started time.Time
	timeout time.Duration // 0: the handler sees to it itself
	over    atomic.Bool   // the function has returned
	once    sync.Once
	base    context.Context // values, and no end: see values
	asked   atomic.Pointer[ending]
}

type ending struct {
	context.Context
	cancel context.CancelFunc
}

// Deadline is when the function's time is over.
func (c *call) Deadline() (time.Time, bool) {
	return c.started.Add(c.timeout), c.timeout > 0
}

// Done is closed when the function's time is over, or it has returned. A client that
// goes away does not close it, since an invocation on Lambda goes on, too.
func (c *call) Done() <-chan struct{} { return c.ending().Done() }

// Err is nil until then.
func (c *call) Err() error {
	if e := c.asked.Load(); e != nil {
		return e.Err()
	}
	if end, ok := c.Deadline(); c.over.Load() || (ok && !time.Now().Before(end)) {
		return c.ending().Err()
	}
	return nil
}

func (c *call) ending() *ending {
	if e := c.asked.Load(); e != nil {
		return e
	}
	var e ending
	if end, ok := c.Deadline(); ok {
		e.Context, e.cancel = context.WithDeadline(c.known(), end)
	} else {
		e.Context, e.cancel = context.WithCancel(c.known())
	}
	if !c.asked.CompareAndSwap(nil, &e) {
		e.cancel()
		return c.asked.Load()
	}
	if c.over.Load() {
		e.cancel()
	}
	return &e
}

// end cancels the context.
func (c *call) end() {
	c.over.Store(true)
	if e := c.asked.Load(); e != nil {
		e.cancel()
	}
}

// known is a context with the values of the client's request, and the ids.
func (c *call) known() context.Context {
	c.once.Do(func() {
		c.base = function.WithRequest(context.WithoutCancel(c.request.Context()), c.id(), traceRoot(c.trace()))
		if c.authorized != nil {
			c.base = function.WithAuthorizer(c.base, c.said())
		}
	})
	return c.base
}

type callKey struct{}

// callOf is the call that a request belongs to.
func callOf(r *http.Request) (*call, bool) {
	c, ok := r.Context().Value(callKey{}).(*call)
	return c, ok
}

// Value hides the gateway's own routing from the function, whose router shall see a
// request that no other has seen. A router of chi's finds a context of its own, as new:
// without one it would make one, and copy the request for it.
func (c *call) Value(key any) any {
	switch key {
	case callKey{}:
		return c
	case chi.RouteCtxKey:
		if c.route == nil {
			return c.chi
		}
		if c.inner != nil {
			return c.inner
		}
		return nil
	}
	if e := c.asked.Load(); e != nil {
		return e.Value(key) // package context looks for its own kind there
	}
	return c.known().Value(key)
}
