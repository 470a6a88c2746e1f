package worker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/queue"
)

// limits keep to how many jobs of a kind (Job.Limit), or of a queue (Options.Limits),
// may run at once over all workers. Each running one holds a place in a sorted set
// in Redis, scored with the time when it lapses unless its worker renews it.
type limits struct {
	client redis.UniversalClient
	queues map[string]int
}

// A job for which there is no place is put off for a time between these.
const (
	leastLimited = time.Second
	mostLimited  = 2 * time.Second
)

// A place lapses after placeTTL, and is renewed a few times in between.
const (
	placeTTL   = 30 * time.Second
	placeRenew = 8 * time.Second
)

// take waits for no one: where there is no place, the job is snoozed. The function
// that it returns gives the places back.
func (l *limits) take(ctx context.Context, job *queue.Definition, id string) (free func(), err error) {
	if job.Limit == 0 && len(l.queues) == 0 {
		return func() {}, nil
	}
	places := make(map[string]int, 2)
	if job.Limit > 0 {
		places["tandem:limit:kind:"+job.Kind] = job.Limit
	}
	if run, ok := queue.Running(ctx); ok && l.queues[run.Queue] > 0 {
		places["tandem:limit:queue:"+run.Queue] = l.queues[run.Queue]
	}
	var taken []string
	for key, most := range places {
		ok, err := takePlace.Run(ctx, l.client, []string{key}, most, id, placeTTL.Milliseconds()).Bool()
		if err != nil {
			l.give(taken, id)
			return nil, fmt.Errorf("%w: take a place in %s: %w", queue.Snooze(5*time.Second), key, err)
		}
		if !ok {
			l.give(taken, id)
			return nil, queue.Snooze(leastLimited + rand.N(mostLimited-leastLimited))
		}
		taken = append(taken, key)
	}
	if len(taken) == 0 {
		return func() {}, nil
	}
	ctx, stop := context.WithCancel(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		l.renew(ctx, taken, id)
	}()
	return func() { stop(); <-renewed; l.give(taken, id) }, nil
}

func (l *limits) renew(ctx context.Context, keys []string, id string) {
	tick := time.NewTicker(placeRenew)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, key := range keys {
				// A failure is made up for by the next renewal, or the place lapses.
				_ = renewPlace.Run(ctx, l.client, []string{key}, id, placeTTL.Milliseconds()).Err()
			}
		}
	}
}

// give frees places also when the job's own context is over.
func (l *limits) give(keys []string, id string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, key := range keys {
		_ = l.client.ZRem(ctx, key, id).Err() // it lapses otherwise
	}
}

// The clock is Redis's own, since workers' clocks differ.
const now = `local t = redis.call("TIME")
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`

var takePlace = redis.NewScript(now + `
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now)
if redis.call("ZCARD", KEYS[1]) >= tonumber(ARGV[1]) and not redis.call("ZSCORE", KEYS[1], ARGV[2]) then
	return 0
end
redis.call("ZADD", KEYS[1], now + ARGV[3], ARGV[2])
redis.call("PEXPIRE", KEYS[1], ARGV[3])
return 1`)

var renewPlace = redis.NewScript(now + `
redis.call("ZADD", KEYS[1], "XX", now + ARGV[2], ARGV[1])
redis.call("PEXPIRE", KEYS[1], ARGV[2])
return 1`)
