package worker

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/queue"
)

// cancelChannel is where asynq's inspector, and so the dashboard, publishes the ids
// of running jobs to cancel.
const cancelChannel = "asynq:cancel"

// cancels ends the contexts of running jobs. asynq has the same for its server, but
// lets a cancelled job run again, as if it had failed.
type cancels struct {
	mu      sync.Mutex
	running map[string]context.CancelCauseFunc
}

func (c *cancels) add(id string, cancel context.CancelCauseFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running[id] = cancel
}

func (c *cancels) remove(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, id)
}

func (c *cancels) cancel(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel, ok := c.running[id]; ok {
		cancel(queue.ErrCancelled)
	}
}

// all cancels every running job.
func (c *cancels) all(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cancel := range c.running {
		cancel(cause)
	}
}

// count returns how many jobs run.
func (c *cancels) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.running)
}

// listen cancels what it is told to until the returned function is called. It
// connects again by itself.
func (c *cancels) listen(client redis.UniversalClient) (stop func()) {
	// Not the caller's context: jobs can be cancelled while the worker drains.
	s := client.Subscribe(context.Background(), cancelChannel)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m := range s.Channel() {
			c.cancel(m.Payload)
		}
	}()
	return func() {
		_ = s.Close()
		<-done
	}
}
