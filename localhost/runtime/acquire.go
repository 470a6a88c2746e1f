package lambda

import (
	"context"
	"slices"
	"time"
)

const (
	// settleTime is how long an event waits for a process that has answered and is
	// about to be free, before another is started.
	settleTime = 5 * time.Millisecond
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
		if full {
			return p.wait(ctx, w, settleLimit)
		}
		return p.wait(ctx, w, settleTime)
	case full:
		defer p.mu.Unlock()
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
func (p *Pool) wait(ctx context.Context, w chan *environment, patience time.Duration) (*environment, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	var err error
	select {
	case e := <-w:
		return p.handed(e)
	case <-timer.C:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	p.mu.Lock()
	i := slices.Index(p.waiters, w)
	if i < 0 { // it came just now
		p.mu.Unlock()
		return p.handed(<-w)
	}
	p.waiters = slices.Delete(p.waiters, i, i+1)
	if err == nil && p.busy >= p.function.limit() {
		err = p.throttled()
	}
	if err != nil {
		p.mu.Unlock()
		return nil, err
	}
	p.busy++
	p.mu.Unlock()
	return p.grow()
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
	return &ThrottledError{p.function.Name, p.function.limit(), p.function.Reserved != nil}
}
