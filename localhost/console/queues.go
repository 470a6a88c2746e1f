package console

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// queuesTimeout is how long the overview waits for Redis.
const queuesTimeout = 2 * time.Second

// errNoAnswer says that Redis is down, or too slow to wait for.
var errNoAnswer = errors.New("no answer from Redis")

// queues reads the state of the jobs.
type queues struct {
	rdb       redis.UniversalClient
	inspector *asynq.Inspector
}

// jobs is the state of the queues and of the workers on them, all over the machines
// that share the Redis.
type jobs struct {
	Queues  []queue
	Workers int // processes
	Slots   int // jobs that they can run at once, together
}

type queue struct {
	*asynq.QueueInfo
}

// URL leads to the queue in the dashboard.
func (q queue) URL() string { return dashboardPath + "/queues/" + url.PathEscape(q.Queue) }

// Waiting says whether jobs wait in a queue although nobody works.
func (j jobs) Waiting() bool {
	for _, q := range j.Queues {
		if j.Workers == 0 && q.Pending > 0 {
			return true
		}
	}
	return false
}

func newQueues(rdb redis.UniversalClient) *queues {
	return &queues{rdb: rdb, inspector: asynq.NewInspectorFromRedisClient(rdb)}
}

// read asks Redis, for queuesTimeout at most: the inspector knows no contexts, and
// what it does after that is bounded by the client's own time-outs.
func (q *queues) read(ctx context.Context) (jobs, error) {
	ctx, cancel := context.WithTimeout(ctx, queuesTimeout)
	defer cancel()
	if err := q.rdb.Ping(ctx).Err(); err != nil {
		return jobs{}, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	type result struct {
		jobs jobs
		err  error
	}
	done := make(chan result, 1)
	go func() {
		j, err := q.inspect()
		done <- result{j, err}
	}()
	select {
	case r := <-done:
		return r.jobs, r.err
	case <-ctx.Done():
		return jobs{}, fmt.Errorf("%w: %w", errNoAnswer, ctx.Err())
	}
}

func (q *queues) inspect() (jobs, error) {
	names, err := q.inspector.Queues()
	if err != nil {
		return jobs{}, fmt.Errorf("list the queues: %w", err)
	}
	slices.Sort(names)
	var j jobs
	for _, name := range names {
		info, err := q.inspector.GetQueueInfo(name)
		if err != nil {
			return jobs{}, fmt.Errorf("read queue %s: %w", name, err)
		}
		j.Queues = append(j.Queues, queue{info})
	}
	servers, err := q.inspector.Servers()
	if err != nil {
		return jobs{}, fmt.Errorf("list the workers: %w", err)
	}
	for _, s := range servers {
		if s.Status == "active" {
			j.Workers++
			j.Slots += s.Concurrency
		}
	}
	return j, nil
}

// address says where Redis is, without its password.
func address(rdb redis.UniversalClient) string {
	switch c := rdb.(type) {
	case *redis.Client:
		if addr := c.Options().Addr; addr != "FailoverClient" { // go-redis's name for it
			return addr
		}
		return "the master that the sentinels name"
	case *redis.ClusterClient:
		return strings.Join(c.Options().Addrs, ", ")
	}
	return "REDIS_URL"
}
