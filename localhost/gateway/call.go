package gateway

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/function"
)

// call is a request on its way, from its arrival to its answer, and the context that
// the function gets. Each request has one of its own, never used again: whoever
// keeps the context or the ResponseWriter too long disturbs no other request.
type call struct {
	answer

	gateway *Gateway
	request *http.Request
	api     *api // nil: the path belongs to none
	route   *route
	arrived time.Time
	started time.Time // when the function was called
	id      string
	trace   string
	base    context.Context        // values only
	ended   atomic.Pointer[ending] // nil until somebody asks
	over    atomic.Bool            // the function has returned
	chi     *chi.Context           // of the gateway's own routing
	body    payload
	left    atomic.Int32 // 1: the call holds one of the function's places
	// returned says that the function came to its end by itself.
	returned  bool
	identity  *identity // from a JWT
	challenge string    // the www-authenticate of a refusal
	// values back the header values that each request adds, which saves an
	// allocation for each.
	values [5]string
}

// Indexes into call.values.
const (
	idValue = iota
	traceValue
	forValue
	portValue
	protoValue
)

// arrive begins a call.
func (g *Gateway) arrive(w http.ResponseWriter, r *http.Request) *call {
	c := &call{gateway: g, request: r, arrived: time.Now()}
	c.w, c.pool = w, &g.buffers
	c.id, c.trace = newIDs(c.arrived)
	if sent := r.Header.Get("X-Amzn-Trace-Id"); sent != "" {
		c.trace = sent
	}
	c.values[idValue], c.values[traceValue] = c.id, c.trace
	c.base = function.WithRequest(context.WithoutCancel(r.Context()), c.id, c.trace)
	return c
}

func (c *call) rules() *rules {
	if c.api == nil {
		return &httpRules
	}
	return c.api.rules
}

// newIDs makes a request id, as API Gateway's look (11 bytes in base64), and a trace
// id (X-Ray, "xray-api-sendingdata": 1-time-random). They tell requests apart and
// guard nothing.
func newIDs(now time.Time) (id, trace string) {
	var random [24]byte
	binary.LittleEndian.PutUint64(random[0:], rand.Uint64())
	binary.LittleEndian.PutUint64(random[8:], rand.Uint64())
	binary.LittleEndian.PutUint64(random[16:], rand.Uint64())
	const idSize = 16
	text := make([]byte, 0, idSize+len("Root=1-")+8+1+24)
	text = base64.URLEncoding.AppendEncode(text, random[:11])
	text = append(text, "Root=1-"...)
	var seconds [4]byte
	binary.BigEndian.PutUint32(seconds[:], uint32(now.Unix()))
	text = hex.AppendEncode(text, seconds[:])
	text = append(text, '-')
	text = hex.AppendEncode(text, random[12:])
	both := string(text)
	return both[:idSize], both[idSize:]
}

// The call as a context: the deadline is the function's time-out, and nothing else
// ends it while the function runs. A client that goes away does not, since an
// invocation on Lambda is not cancelled either.

type ending struct {
	context.Context
	cancel context.CancelFunc
}

// Deadline is when the function's time is over.
func (c *call) Deadline() (time.Time, bool) {
	if c.route == nil || c.route.target.timeout == 0 {
		return time.Time{}, false
	}
	return c.started.Add(c.route.target.timeout), true
}

// Done makes the channel, and the timer behind it, only for who asks.
func (c *call) Done() <-chan struct{} { return c.ending().Done() }

// Err is nil until the function's time is over, or its answer given.
func (c *call) Err() error {
	if e := c.ended.Load(); e != nil {
		return e.Err()
	}
	if deadline, ok := c.Deadline(); c.over.Load() || (ok && !time.Now().Before(deadline)) {
		return c.ending().Err()
	}
	return nil
}

type callKey struct{}

// Value hides the gateway's own routing from the function: its router shall see a
// request that none has seen, as on Lambda.
func (c *call) Value(key any) any {
	switch key {
	case callKey{}:
		return c
	case chi.RouteCtxKey:
		if c.route == nil {
			return c.chi
		}
		return nil
	}
	if e := c.ended.Load(); e != nil {
		return e.Value(key) // so that package context finds its own kind in it
	}
	return c.base.Value(key)
}

func (c *call) ending() *ending {
	if e := c.ended.Load(); e != nil {
		return e
	}
	var e ending
	if deadline, ok := c.Deadline(); ok {
		e.Context, e.cancel = context.WithDeadline(c.base, deadline)
	} else {
		e.Context, e.cancel = context.WithCancel(c.base)
	}
	if !c.ended.CompareAndSwap(nil, &e) {
		e.cancel()
	}
	if c.over.Load() {
		e.cancel()
	}
	return c.ended.Load()
}

// end cancels the context.
func (c *call) end() {
	c.over.Store(true)
	if e := c.ended.Load(); e != nil {
		e.cancel()
	}
}
