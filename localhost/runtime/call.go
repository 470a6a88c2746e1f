package lambda

import (
	"sync"
	"time"
)

// call is one event on its way through an environment.
type call struct {
	inv      Invocation
	deadline time.Time
	result   chan Result   // the first answer, for the caller, who may have left
	tail     chan []byte   // nil where nobody asks for the end of the log
	failed   chan struct{} // closed when failure is set
	settle   func()        // tells the pool that the environment is about to be free

	once    sync.Once
	mu      sync.Mutex
	failure *failure
}

func newCall(inv Invocation, settle func()) *call {
	c := &call{inv: inv, result: make(chan Result, 1), failed: make(chan struct{}), settle: settle}
	if inv.LogTail {
		c.tail = make(chan []byte, 1)
	}
	return c
}

// answer gives the caller the result. Only the first one counts.
func (c *call) answer(r Result) {
	c.once.Do(func() {
		r.RequestID = c.inv.RequestID
		c.result <- r
	})
}

// fail ends the event, unless it has failed before. Where the caller has an answer
// already, the rest of its stream is what fails.
func (c *call) fail(f *failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure != nil {
		return
	}
	c.failure = f
	close(c.failed)
	c.settle()
	c.answer(f.result(c.inv.RequestID))
}
