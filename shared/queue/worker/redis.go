package worker

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
)

// asynqRedis is the connection as asynq's server gets it, which mends three of the
// server's faults (in 0.26).
type asynqRedis struct{ redis.UniversalClient }

// Subscribe keeps cancellations from asynq, which would let the job run again: see
// cancels.
func (r asynqRedis) Subscribe(ctx context.Context, _ ...string) *redis.PubSub {
	return r.UniversalClient.Subscribe(ctx, "tandem:nothing")
}

// EvalSha runs a script, as nearly all that asynq does with a queue is one.
//
// When a job is done and Redis is away, asynq tries again every five seconds to say
// so, but with a context that it has cancelled itself: the job would run a second
// time. And while Redis is away or refuses, it asks for the next job without a pause.
func (r asynqRedis) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx) // a command still ends after the read time-out
	}
	cmd := r.UniversalClient.EvalSha(ctx, sha, keys, args...)
	if err := cmd.Err(); err != nil && !answered(err) {
		sleep(ctx, 100*time.Millisecond+rand.N(100*time.Millisecond))
	}
	return cmd
}

// answered tells what a script says, and that Redis has to be sent it first, from
// silence and from a Redis that refuses everyone: it is full, read-only, loading or busy.
func answered(err error) bool {
	return errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "NOSCRIPT") || redis.HasErrorPrefix(err, "NOT FOUND")
}
