// Package worker does the jobs that stand in the queues.
package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/redisdb"
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
	// Burst ends Run as soon as nothing waits in the queues or runs.
	Burst bool
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
		if name == "" || weight < 1 {
			return o, fmt.Errorf("worker: queue %q has the weight %d, and the least is 1", name, weight)
		}
	}
	return o, nil
}

// Run does jobs until the context ends, then waits for those under way, up to
// ShutdownTimeout. It returns an error at once where Redis does not answer or a job
// is declared wrongly.
func Run(ctx context.Context, app *function.App, jobs []queue.Declared, o Options) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	h, err := newHandler(app, jobs)
	if err != nil {
		return err
	}
	client, err := redisdb.Of(app)
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	if err := client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("worker: Redis does not answer: %w", err)
	}
	server := asynq.NewServerFromRedisClient(client, asynq.Config{
		Concurrency: o.Concurrency,
		Queues:      o.Queues,
		// Jobs keep what the context carries, but not its end: they may finish.
		BaseContext:              func() context.Context { return context.WithoutCancel(ctx) },
		StrictPriority:           o.Strict,
		ShutdownTimeout:          ShutdownTimeout,
		DelayedTaskCheckInterval: time.Second,
		RetryDelayFunc:           h.delay,
		ErrorHandler:             asynq.ErrorHandlerFunc(h.failed),
		Logger:                   logger{app.Log},
		LogLevel:                 asynq.DebugLevel,
	})
	if err := server.Start(h); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	defer server.Shutdown()
	if !o.Burst {
		<-ctx.Done()
		return nil
	}
	if err := waitEmpty(ctx, client, o.Queues); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("worker: %w", err)
	}
	return nil
}
