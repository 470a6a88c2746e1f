package worker

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// waitEmpty returns once nothing waits in the queues or runs. What is put off until
// later does not count.
func waitEmpty(ctx context.Context, c redis.UniversalClient, queues map[string]int) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		empty, err := isEmpty(ctx, c, queues)
		if empty || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func isEmpty(ctx context.Context, c redis.UniversalClient, queues map[string]int) (bool, error) {
	// In this order: a job moves from pending to active, and is seen in one of them.
	for _, list := range []string{"pending", "active"} {
		for name := range queues {
			n, err := c.LLen(ctx, key(name, list)).Result()
			if n > 0 || err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// key is where asynq keeps a queue's list of that name.
func key(queue, list string) string { return "asynq:{" + queue + "}:" + list }
