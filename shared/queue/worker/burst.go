package worker

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// waitEmpty returns once nothing waits in the queues to be run now, and this worker
// runs nothing.
func (w *worker) waitEmpty(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	// Twice in a row: between the queue and its start, a job is in neither.
	for empty := 0; empty < 2; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		waiting, err := pending(ctx, w.client, w.options.Queues)
		if err != nil {
			return err
		}
		if empty++; waiting > 0 || w.handler.cancels.count() > 0 {
			empty = 0
		}
	}
	return nil
}

// pending counts the jobs that wait to be run now, in queues that are not paused. Those
// belong to them that a limit has put off for a moment, and those whose worker has died
// and that are about to run again.
func pending(ctx context.Context, c redis.UniversalClient, queues map[string]int) (int64, error) {
	var all int64
	for name := range queues {
		paused, err := c.Exists(ctx, key(name, "paused")).Result()
		if err != nil {
			return 0, err
		}
		if paused > 0 {
			continue
		}
		n, err := c.LLen(ctx, key(name, "pending")).Result()
		if err != nil {
			return 0, err
		}
		all += n
		soon := strconv.FormatInt(time.Now().Add(mostLimited).Unix(), 10)
		for _, list := range []string{"scheduled", "retry"} {
			n, err := c.ZCount(ctx, key(name, list), "-inf", soon).Result()
			if err != nil {
				return 0, err
			}
			all += n
		}
	}
	return all, nil
}

// key is where asynq keeps a queue's list of that name.
func key(queue, list string) string { return "asynq:{" + queue + "}:" + list }
