package cache

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
)

// route is one handler with its cache.
type route struct {
	Options
	handler function.Handler
	app     *function.App
	store   *store
	flights flights
}

func (c *route) serve(w http.ResponseWriter, r *http.Request) error {
	if c.bypassed(r) {
		w.Header().Set("X-Cache", "BYPASS")
		return c.handler(w, r)
	}
	key := c.key(r)
	f, lead := c.flights.join(key)
	if !lead {
		return c.follow(f, w, r)
	}
	a, err := c.lead(f, key, w, r)
	if a != nil {
		a.write(w, &c.Options) // after the flight: this client may be slow
	}
	return err
}

// lead finds the answer in Redis or has the handler make it, for all who wait. It
// does not recover a panic: the stack is to show where it happened.
func (c *route) lead(f *flight, key string, w http.ResponseWriter, r *http.Request) (*answer, error) {
	defer c.flights.leave(key, f)
	// Others wait too, so that the answer must not end with this client.
	ctx, cancel := detached(r.Context())
	defer cancel()
	if a := c.store.get(ctx, key); a != nil {
		f.end(a, nil)
		return a, nil
	}
	ctx, ttl := withTTL(ctx, c.TTL)
	a, err := c.compute(w, r.WithContext(ctx), func() { f.end(nil, nil) })
	if a == nil {
		f.end(nil, err)
		return nil, err
	}
	keep := time.Duration(ttl.Load())
	var shared *answer
	if keep > 0 {
		shared = a.forOthers(&c.Options)
	}
	f.end(shared, nil)
	if shared != nil && c.Keep(a.status) {
		c.store.set(ctx, key, shared, keep)
	}
	return a, nil
}

// compute has the handler make an answer. An answer too large to keep is sent at
// once, after tooLarge is called, and nil is returned for it.
func (c *route) compute(w http.ResponseWriter, r *http.Request, tooLarge func()) (*answer, error) {
	rec := &recorder{w: w, o: &c.Options, header: http.Header{}, tooLarge: tooLarge}
	if err := c.handler(rec, whole(r)); err != nil || rec.passing {
		return nil, err
	}
	return rec.answer(), nil
}

// follow waits for the answer of another request. If that is not for others, it has
// the handler make its own.
func (c *route) follow(f *flight, w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	select {
	case <-f.done:
	case <-ctx.Done():
		return fmt.Errorf("wait for the answer to another request: %w", ctx.Err())
	}
	a, err := f.answer, f.err
	if err != nil && httperror.Status(err) >= http.StatusInternalServerError {
		// One failure is one report, which the leader sends.
		c.app.Log.ErrorContext(ctx, "request failed with another one", "error", err)
		httperror.Write(w, r, err)
		return nil
	}
	if a == nil && err == nil {
		a, err = c.compute(w, r, func() {})
	}
	if a != nil {
		a.write(w, &c.Options)
	}
	return err
}

// detached returns a context with the values of ctx, and its deadline if that is
// soon, but not its cancellation.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline := time.Now().Add(maxCompute)
	if own, ok := ctx.Deadline(); ok && own.Before(deadline) {
		deadline = own
	}
	return context.WithDeadline(context.WithoutCancel(ctx), deadline)
}

// partial are the headers that ask for a part of an answer, or for none if the
// client has it already.
var partial = [...]string{"Range", "If-Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since"}

// whole asks for all of the answer: it is made for others too.
func whole(r *http.Request) *http.Request {
	asks := func(name string) bool { return len(r.Header[name]) > 0 }
	if !slices.ContainsFunc(partial[:], asks) {
		return r
	}
	r = r.Clone(r.Context())
	for _, name := range partial {
		r.Header.Del(name)
	}
	return r
}
