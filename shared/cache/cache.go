// Package cache keeps the answers of a route in Redis, and has a route's concurrent
// misses computed once in a process:
//
//	r.Get("/baz", app.Handle(cache.Route(app, cache.Options{TTL: time.Minute}, fact)))
//
// An answer carries X-Cache: HIT, with its Age in seconds, or MISS. Redis is never
// needed: when it is down, hangs or is not configured, every request is a miss.
//
// What one client may see must not reach another. So requests with an Authorization
// or a Cookie header go past the cache (X-Cache: BYPASS) until the route says what
// they mean to it: Options.Vary to keep an answer for each value, Options.Public to
// keep one for everyone. An answer is kept for no one else when it sets a cookie,
// is Cache-Control: private, no-store or no-cache, or varies by a header that
// Options.Vary does not name.
package cache

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tandem-api/tandem/shared/function"
)

// Options say what of a route is cached. Answers are told apart by method (GET and
// HEAD; others are not cached), path and query, the order of the query's names
// aside; and by what Vary and By add.
type Options struct {
	// TTL is how long an answer is kept; 0 means a minute. For sets it for one
	// answer.
	TTL time.Duration
	// Vary names headers of the request that the answer depends on. They become the
	// Vary header of the answer too.
	Vary []string
	// By returns whatever else the answer depends on, such as the user's id; nil
	// means nothing.
	By func(*http.Request) []string
	// Public says that the answer is the same for everyone, so that a request's
	// Authorization and Cookie headers play no part in it.
	Public bool
	// Keep says which statuses are kept; nil means all below 400. 206 and 304 are
	// never kept: each answers one client's own question.
	Keep func(status int) bool
}

const (
	defaultTTL = time.Minute
	// maxBody is the largest body that is kept, in bytes. A larger one is passed on
	// as it is written.
	maxBody = 1 << 20
	// maxCompute bounds the handler's time, which the leaving of its client no longer
	// ends. It is the gateway's own limit: after it nobody waits.
	maxCompute = 30 * time.Second
)

// Route returns the handler h with a cache before it. While h runs, others who ask
// the same wait for its answer; so its context outlives its client, for 30 s at
// most, and its answer is complete before any of it is sent: a stream does not fit.
//
// h is asked for the whole answer, without the Range and If-… headers of the client.
func Route(app *function.App, o Options, h function.Handler) function.Handler {
	if o.TTL == 0 {
		o.TTL = defaultTTL
	}
	if o.Keep == nil {
		o.Keep = func(status int) bool { return status < http.StatusBadRequest }
	}
	s, err := stores.Of(app)
	if err != nil {
		return func(http.ResponseWriter, *http.Request) error { return err }
	}
	return (&route{Options: o, handler: h, app: app, store: s}).serve
}

// For sets how long the answer that is being made is kept; 0 or less means not at
// all. Call it with the context of the request in the handler. It does nothing
// where no Route is around.
func For(ctx context.Context, ttl time.Duration) {
	if kept, ok := ctx.Value(ttlKey{}).(*atomic.Int64); ok {
		kept.Store(int64(ttl))
	}
}

type ttlKey struct{}

// withTTL returns a context for the handler, in which For finds where to write.
func withTTL(ctx context.Context, ttl time.Duration) (context.Context, *atomic.Int64) {
	kept := new(atomic.Int64)
	kept.Store(int64(ttl))
	return context.WithValue(ctx, ttlKey{}, kept), kept
}
