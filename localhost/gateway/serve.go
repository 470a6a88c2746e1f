package gateway

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/logging"
)

// serve takes the request through what stands before the function, and calls it.
func (rt *route) serve(c *call, r *http.Request) {
	if rt.guard != nil {
		if refused, ok := rt.guard.admit(c, r); !ok {
			c.refuse(refused)
			return
		}
	}
	if rt.rate != nil && !rt.rate.Allow() {
		c.refuse(tooManyRequests)
		return
	}
	if refused, ok := c.read(r); !ok {
		c.refuse(refused)
		return
	}
	defer c.payload.release()
	if c.api.Kind == template.REST {
		c.readAsText(r)
	}
	c.forward(r)
	if c.payload.Len() > surePayload && c.eventSize(r) > MaxPayload {
		c.refuse(bodyTooLarge)
		return
	}
	if !rt.target.enter() {
		c.refuse(tooManyRequests)
		return
	}
	c.invoke(rt.target, r)
}

// enter takes one of the places that reserved concurrency leaves
// ("configuration-concurrency").
func (t *target) enter() bool {
	if n := t.running.Add(1); t.limit >= 0 && n > t.limit {
		t.running.Add(-1)
		return false
	}
	return true
}

// invoke calls the function, on this goroutine. Where it takes too long, a timer
// answers in its place: the client then has its answer before this returns, on a
// connection that it is told to close.
func (c *call) invoke(t *target, r *http.Request) {
	c.placed.Store(true)
	c.started, c.timeout = c.arrived, t.timeout
	if c.payload.Len() > 0 || c.route.guard != nil {
		c.started = time.Now() // the body has taken its time, or the authorizer
	}
	if t.routes != nil {
		c.inner = c.gateway.contexts.Get().(*chi.Context)
		c.inner.Reset()
		c.inner.Routes = t.routes
		defer c.gateway.contexts.Put(c.inner)
	}
	c.route.watch.enter(c)
	defer func() {
		c.route.watch.leave(c)
		c.finish(recover(), r)
	}()
	t.handler.ServeHTTP(&c.answer, r)
	c.returned = true
}

// leave frees the call's place, once.
func (c *call) leave() {
	if c.placed.CompareAndSwap(true, false) {
		c.route.target.running.Add(-1)
	}
}

// finish answers with what the function has written, unless a time-out was first.
func (c *call) finish(panicked any, r *http.Request) {
	c.end()
	c.leave()
	if r.MultipartForm != nil {
		_ = r.MultipartForm.RemoveAll() // net/http would, for a request that is its own
	}
	if time.Since(c.started) >= c.route.watch.wait {
		c.expire() // a function that heeds the end of its context may be here before the timer
	}
	if fault := c.fault(r.Method); fault != "" {
		// On Lambda, the function's own adapter sees this, and answers.
		c.log(slog.LevelError, "the answer cannot be sent", slog.String("error", fault))
		c.reset()
		httperror.Write(&c.answer, r, httperror.New(http.StatusInternalServerError, ""))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.given:
		c.log(slog.LevelInfo, "the function has come to its end after its time-out", slog.Duration("after", time.Since(c.started)))
	case !c.returned:
		// A panic that no middleware caught, an aborted answer, or runtime.Goexit.
		switch panicked {
		case http.ErrAbortHandler:
		case nil:
			defer c.flush() // nobody else will: the goroutine ends here
		default:
			c.log(slog.LevelError, "panic", slog.String("value", fmt.Sprint(panicked)))
		}
		c.instead(c.rules().failed)
	case c.status < 200 || c.status > 599: // an event can say so, and the gateway refuses it (?)
		c.log(slog.LevelError, "the function's answer has an impossible status", slog.Int("status", c.status))
		c.instead(c.rules().failed)
	default:
		c.addCORS()
		if c.api.Kind == template.REST {
			c.sendAsText(r.Method)
		}
		c.send(r.Method)
	}
}

// fault says why what the function has written is no answer, "" if it is one.
func (c *call) fault(method string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.given || !c.returned {
		return ""
	}
	c.head(http.StatusOK)
	return c.unfit(method)
}

// reset forgets what the function has written.
func (c *call) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.given {
		return
	}
	c.release()
	c.header, c.status, c.size = nil, 0, 0
	to := c.w.Header()
	clear(to)
	to[c.rules().requestID] = []string{c.id()}
}

// expire answers when the time is over. The function's goroutine cannot be ended;
// its context is, at its own time-out.
func (c *call) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.given {
		return
	}
	answer := c.rules().late
	if c.timeout == c.route.watch.wait { // its own, and Lambda would have killed it
		answer = c.rules().failed
		c.leave()
	}
	c.log(slog.LevelWarn, "time-out", slog.Duration("after", c.route.watch.wait), slog.Int("status", answer.status))
	// The connection is taken for as long as the function goes on.
	c.w.Header()["Connection"] = []string{"close"}
	c.instead(answer)
	c.flush()
}

// flush sends what has been written. Not every ResponseWriter can.
func (c *call) flush() { _ = http.NewResponseController(c.w).Flush() }

func (c *call) log(level slog.Level, message string, attrs ...slog.Attr) {
	attrs = append(attrs, slog.String(logging.Function, c.route.target.name))
	c.gateway.log.LogAttrs(c.known(), level, message, attrs...)
}
