package lambda

import (
	"context"
	"slices"
	"time"
)

const (
	// settleTime is how long an event waits for a process that has answered and is
	// about to be free, before another is started.
	settleTime = 20 * time.Millisecond
	// settleLimit is how long, where no other may be started.
	settleLimit = time.Second
)

// acquire returns an environment for one event, which counts as busy then: a warm
// one, rather the one that served last, or else a new one.
func (p *Pool) acquire(ctx context.Context) (*environment, error) {
	p.mu.Lock()
	full := p.busy >= p.function.limit()
	switch {
	case p.closed:
		p.mu.Unlock()
		return nil, ErrClosed
	case len(p.idle) > 0 && !full:
		defer p.mu.Unlock()
		p.busy++
		return p.pop(), nil
	case p.settling > len(p.waiters):
		w := make(chan *environment, 1)
		p.waiters = append(p.waiters, w)
		p.mu.Unlock()
		return p.wait(ctx, w)
	case full:
		p.mu.Unlock()
		return nil, p.throttled()
	default:
		p.busy++
		p.mu.Unlock()
		return p.grow()
	}
}

// pop takes an environment from the idle ones.
func (p *Pool) pop() *environment {
	i := len(p.idle) - 1
	for j, e := range slices.Backward(p.idle) {
		if e.warm() {
			i = j
			break
		}
	}
	e := p.idle[i]
	p.idle = slices.Delete(p.idle, i, i+1)
	return e
}

// wait waits for an environment that is about to be free.
func (p *Pool) wait(ctx context.Context, w chan *environment) (*environment, error) {
	settled, limit := time.NewTimer(settleTime), time.NewTimer(settleLimit)
	defer settled.Stop()
	defer limit.Stop()
	for {
		select {
		case e := <-w:
			return p.handed(e)
		case <-settled.C:
			if p.leave(w, true) {
				return p.grow()
			}
		case <-limit.C:
			if p.leave(w, false) {
				return nil, p.throttled()
			}
		case <-ctx.Done():
			if p.leave(w, false) {
				return nil, context.Cause(ctx)
			}
		}
	}
}

// leave ends the waiting, unless an environment is on its way. Who leaves to grow
// counts as busy then, and stays where there is no room.
func (p *Pool) leave(w chan *environment, grow bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.waiters, w)
	if i < 0 || (grow && p.busy >= p.function.limit()) {
		return false
	}
	p.waiters = slices.Delete(p.waiters, i, i+1)
	if grow {
		p.busy++
	}
	return true
}

// handed takes over an environment, or only the right to start one.
func (p *Pool) handed(e *environment) (*environment, error) {
	if e == nil {
		return p.grow()
	}
	return e, nil
}

// grow makes an environment. The caller has counted it as busy.
func (p *Pool) grow() (*environment, error) {
	p.mu.Lock()
	function, generation := p.function, p.generation
	if p.closed {
		p.busy--
		p.mu.Unlock()
		return nil, ErrClosed
	}
	p.running.Add(1)
	p.mu.Unlock()
	e, err := newEnvironment(p.host, function, p.aborted)
	if err != nil {
		p.mu.Lock()
		p.busy--
		p.mu.Unlock()
		p.running.Done()
		return nil, err
	}
	e.generation = generation
	return e, nil
}

func (p *Pool) throttled() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &ThrottledError{p.function.Name, p.function.limit(), p.function.Reserved != nil}
}
