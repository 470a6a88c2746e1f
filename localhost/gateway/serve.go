package gateway

import (
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// found gives the call its route.
func (c *call) found(rt *route) {
	c.route = rt
	c.api = rt.api
	c.answer.cors = rt.api.cors
}

// serve takes the request through what stands before the function, and calls it.
func (rt *route) serve(c *call, r *http.Request) {
	if rt.Auth != nil && rt.Auth.Type == "JWT" {
		if refused, ok := c.authorize(r); !ok {
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
	defer c.body.release()
	c.forward(r)
	if c.body.Len() > surePayload && c.eventSize(r) > MaxPayload {
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

// invoke calls the function. It runs on this goroutine, and a timer answers where it
// takes too long. Only then the client has its answer before this returns, on a
// connection that is closed after it.
func (c *call) invoke(t *target, r *http.Request) {
	c.started = time.Now()
	wait := min(c.route.Timeout, integration)
	failed := c.rules().late
	if t.timeout > 0 && t.timeout <= wait {
		wait, failed = t.timeout, c.rules().failed
	}
	c.left.Store(1)
	timer := time.AfterFunc(wait, func() { c.expire(failed, wait) })
	defer func() {
		timer.Stop()
		c.finish(recover(), r.Method)
	}()
	t.handler.ServeHTTP(&c.answer, r)
	c.returned = true
}

// leave frees the call's place, once.
func (c *call) leave() {
	if c.left.CompareAndSwap(1, 0) {
		c.route.target.running.Add(-1)
	}
}

// finish answers with what the function has written, unless the time-out was first.
func (c *call) finish(panicked any, method string) {
	c.end()
	c.leave()
	c.mu.Lock()
	defer c.mu.Unlock()
	log := c.gateway.log
	switch {
	case c.given:
		log.InfoContext(c.base, "the function came to its end after its answer was given", "function", c.route.target.name, "after", time.Since(c.started))
	case panicked != nil && panicked != http.ErrAbortHandler:
		log.ErrorContext(c.base, "panic", "function", c.route.target.name, "value", fmt.Sprint(panicked))
		c.instead(c.rules().failed)
	case !c.returned:
		c.instead(c.rules().failed)
	default:
		c.head(http.StatusOK)
		if c.status > 599 || c.size > maxAnswer || (c.size > surePayload && c.answerSize() > maxAnswer) {
			log.ErrorContext(c.base, "the function's answer cannot be sent", "function", c.route.target.name, "status", c.status, "bytes", c.size)
			c.instead(c.rules().failed)
			return
		}
		c.addCORS()
		c.send(method)
	}
}

// expire answers when the time is over. The function's goroutine cannot be ended;
// its context is, at the function's own time-out.
func (c *call) expire(f refusal, after time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.given {
		return
	}
	if f == c.rules().failed {
		c.leave() // its own time-out would have killed it
	}
	c.gateway.log.LogAttrs(c.base, slog.LevelWarn, "time-out", slog.String("function", c.route.target.name), slog.Duration("after", after), slog.Int("status", f.status))
	// The connection is not free for another request before the function returns.
	c.w.Header()["Connection"] = []string{"close"}
	c.instead(f)
	_ = http.NewResponseController(c.w).Flush() // not every ResponseWriter can
}

// refuse answers in the function's place, before it was called.
func (c *call) refuse(f refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instead(f)
}

// instead gives the gateway's own answer, without what the function may have set.
func (c *call) instead(f refusal) {
	c.given = true
	c.release()
	body := `{"message":"` + f.message + `"}`
	to := c.w.Header()
	closing := to["Connection"]
	clear(to)
	if closing != nil {
		to["Connection"] = closing
	}
	to[c.rules().requestID] = []string{c.id}
	to["Content-Type"] = []string{"application/json"}
	to["Content-Length"] = []string{strconv.Itoa(len(body))}
	if corsOnErrors {
		c.addCORS()
	}
	if f == unauthorized || f == forbidden {
		to["Www-Authenticate"] = []string{c.challenge}
	}
	c.w.WriteHeader(f.status)
	_, _ = c.w.Write([]byte(body))
}

func (c *call) addCORS() {
	if c.api != nil && c.api.cors != nil {
		c.api.cors.add(c.w.Header(), c.request)
	}
}
