package gateway

import (
	"sync"
	"time"
)

// watch sees to the time-outs of one route's calls. They all have the same time, so
// the one that came first is over first: a list in that order and one timer cost each
// call less than a timer of its own.
type watch struct {
	wait time.Duration

	mu          sync.Mutex
	first, last *call
	timer       *time.Timer // nil: not needed yet
	armed       bool        // the timer is on its way
}

// enter starts a call's time.
func (w *watch) enter(c *call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.before, c.watched = w.last, true
	if w.last == nil {
		w.first = c
	} else {
		w.last.after = c
	}
	w.last = c
	if !w.armed {
		w.armed = true
		w.arm(w.wait)
	}
}

// leave ends it.
func (w *watch) leave(c *call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.watched {
		w.unlink(c)
	}
}

func (w *watch) unlink(c *call) {
	if c.before == nil {
		w.first = c.after
	} else {
		c.before.after = c.after
	}
	if c.after == nil {
		w.last = c.before
	} else {
		c.after.before = c.before
	}
	c.before, c.after, c.watched = nil, nil, false
}

func (w *watch) arm(after time.Duration) {
	if w.timer == nil {
		w.timer = time.AfterFunc(after, w.check)
		return
	}
	w.timer.Reset(after)
}

// check answers the calls whose time is over, and looks again when the next one's is.
// It finds none for the most part: a call that ends leaves the timer as it is.
func (w *watch) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for now := time.Now(); w.first != nil; {
		if left := w.wait - now.Sub(w.first.started); left > 0 {
			w.arm(left)
			return
		}
		late := w.first
		w.unlink(late)
		go late.expire() // which may wait for a slow client
	}
	w.armed = false
}
