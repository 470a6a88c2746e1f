package worker

import (
	"fmt"
	"maps"
	"time"

	"github.com/tandem-api/tandem/shared/queue"
)

// ShutdownTimeout is how long the jobs under way may go on once a worker is asked to
// stop. What is not done by then goes back into its queue.
const ShutdownTimeout = 8 * time.Second

// Options say how a worker works. The zero value is a good one.
type Options struct {
	// Concurrency is how many jobs run at once. 0 means 10.
	Concurrency int
	// Queues are the queues to take from, with their weights. Empty means
	// queue.Weights.
	Queues map[string]int
	// Strict takes from a queue only while all those of more weight are empty.
	Strict bool
	// Limits are how many jobs of a queue may run at once over all workers that are
	// told so.
	Limits map[string]int
	// Timed are steps that run by themselves, beside the schedules of the jobs.
	Timed []queue.Timed
	// Outbox moves the jobs that workers.EnqueueTx has written into the database to
	// their queues. It needs a DATABASE_URL.
	Outbox bool
	// Burst ends Run as soon as nothing waits in the queues or runs.
	Burst bool
	// Wait makes Run wait for a Redis that cannot be reached, instead of failing.
	Wait bool
	// Pause stops the taking of jobs when it yields true, and starts it again when
	// it yields false. Jobs under way go on.
	Pause <-chan bool
}

func (o Options) withDefaults() (Options, error) {
	if o.Concurrency == 0 {
		o.Concurrency = 10
	}
	if o.Concurrency < 0 {
		return o, fmt.Errorf("worker: the concurrency is %d, and the least is 1", o.Concurrency)
	}
	if len(o.Queues) == 0 {
		o.Queues = queue.Weights()
	}
	o.Queues = maps.Clone(o.Queues)
	for name, weight := range o.Queues {
		if _, ok := queue.Weights()[name]; !ok {
			return o, fmt.Errorf("worker: there is no queue %q", name)
		}
		if weight < 1 {
			return o, fmt.Errorf("worker: queue %q has the weight %d, and the least is 1", name, weight)
		}
	}
	for name, most := range o.Limits {
		if o.Queues[name] == 0 || most < 1 {
			return o, fmt.Errorf("worker: the limit of queue %q is %d: the least is 1, and the worker must take from it", name, most)
		}
	}
	return o, nil
}
