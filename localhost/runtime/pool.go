package lambda

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Pool runs the processes of one function: as many as there are events at once, up to
// the function's limit, each with one event at a time.
type Pool struct {
	host    *Host
	aborted chan struct{} // closed: all processes end at once
	abort   func()        // closes it

	mu         sync.Mutex
	function   Function
	generation int            // counts the replacements
	idle       []*environment // the last one served last
	busy       int            // environments with an event
	settling   int            // of these, the ones that have answered
	waiters    []chan *environment
	reaper     *time.Timer // nil where nothing is idle
	closed     bool
	running    sync.WaitGroup // all environments
}

func newPool(h *Host, f Function) *Pool {
	aborted := make(chan struct{})
	return &Pool{host: h, function: f, aborted: aborted, abort: sync.OnceFunc(func() { close(aborted) })}
}

// Function returns what the pool runs, complete with all defaults.
func (p *Pool) Function() Function {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.function
}

// Invoke runs one event, and returns when the function has answered, or failed. The
// error is for what kept the event from running: *ThrottledError, *TooLargeError,
// ErrClosed, or the context's. When the context ends while the function runs, the
// function goes on, as on Lambda.
func (p *Pool) Invoke(ctx context.Context, inv Invocation) (Result, error) {
	if len(inv.Payload) > MaxPayload {
		return Result{}, &TooLargeError{len(inv.Payload), MaxPayload}
	}
	e, err := p.acquire(ctx)
	if err != nil {
		return Result{}, err
	}
	c := newCall(inv.complete(time.Now()), sync.OnceFunc(p.settle))
	go func() {
		e.run(c)
		c.settle()
		p.release(e)
	}()
	select {
	case r := <-c.result:
		if c.tail == nil || r.Stream != nil {
			return r, nil
		}
		select {
		case r.LogTail = <-c.tail:
			return r, nil
		case <-ctx.Done():
		}
	case <-ctx.Done():
	}
	return Result{}, context.Cause(ctx)
}

// settle says that an event has its answer: its environment will soon be free.
func (p *Pool) settle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settling++
}

// release takes back an environment after its event.
func (p *Pool) release(e *environment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settling--
	if p.closed || e.generation != p.generation {
		go p.retire(e)
		e = nil // whoever waits for it starts one of the new generation
	}
	if len(p.waiters) > 0 {
		p.waiters[0] <- e
		p.waiters = p.waiters[1:]
		return
	}
	p.busy--
	if e == nil {
		return
	}
	e.idleSince = time.Now()
	p.idle = append(p.idle, e)
	if p.reaper == nil {
		p.reaper = time.AfterFunc(p.host.options.IdleTimeout, p.reap)
	}
}

// reap stops the processes that have been idle for too long.
func (p *Pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for len(p.idle) > 0 {
		left := p.idle[0].idleSince.Add(p.host.options.IdleTimeout).Sub(now)
		if left > 0 {
			p.reaper = time.AfterFunc(left, p.reap)
			return
		}
		go p.retire(p.idle[0])
		p.idle = slices.Delete(p.idle, 0, 1)
	}
	p.reaper = nil
}

// retire ends an environment that nobody else has any more.
func (p *Pool) retire(e *environment) {
	e.close()
	p.running.Done()
}

// Replace makes f what the pool runs: the next event has a process of f. The ones of
// before finish the event that they have and stop; no event is lost. The binary of a
// running process must not be overwritten in place: build into a new file.
func (p *Pool) Replace(f Function) error {
	f, err := f.complete()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.function = f
	p.generation++
	p.retireIdle()
	return nil
}

func (p *Pool) retireIdle() {
	for _, e := range p.idle {
		go p.retire(e)
	}
	p.idle = nil
}

// Stats says how many environments a pool has.
type Stats struct{ Busy, Idle int }

// Stats counts the environments.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{Busy: p.busy, Idle: len(p.idle)}
}

// Close takes no more events, lets those that run finish, and stops all processes:
// SIGTERM, then SIGKILL after the shutdown time-out. When the context ends, what still
// runs is killed, and the error counts it.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	p.retireIdle()
	if p.reaper != nil {
		p.reaper.Stop()
	}
	p.mu.Unlock()

	done := make(chan struct{})
	go func() {
		p.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	cut := p.Stats().Busy
	p.abort()
	<-done
	if cut == 0 {
		return nil
	}
	return fmt.Errorf("function %s: %d events were cut off: %w", p.Function().Name, cut, context.Cause(ctx))
}
