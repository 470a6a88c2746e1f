// Package ratelimit counts attempts in Redis, so that all processes count together.
package ratelimit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// Limit allows Attempts in a Window, which begins with the first one.
type Limit struct {
	// Name tells limits apart.
	Name     string
	Attempts int64
	Window   time.Duration
}

// count adds one and gives a new count its end, in one step: a count without an end
// would lock somebody out for good.
var count = redis.NewScript(`
local n = redis.call("INCR", KEYS[1])
if n == 1 then redis.call("PEXPIRE", KEYS[1], ARGV[1]) end
return {n, redis.call("PTTL", KEYS[1])}`)

// Attempt counts an attempt of somebody, before it is made: those made at once cannot
// slip through together. It returns 0 if the attempt is allowed, and else after what
// time another one is. The error says that Redis did not count it.
func (l Limit) Attempt(ctx context.Context, app *function.App, who string) (time.Duration, error) {
	client, err := redisdb.Of(app)
	if err != nil {
		return 0, fmt.Errorf("count an attempt: %w", err)
	}
	got, err := count.Run(ctx, client, []string{l.key(who)}, l.Window.Milliseconds()).Int64Slice()
	if err != nil {
		return 0, fmt.Errorf("count an attempt: %w", err)
	}
	if got[0] <= l.Attempts {
		return 0, nil
	}
	return max(time.Duration(got[1])*time.Millisecond, time.Second), nil
}

// Forget takes back what was counted of somebody.
func (l Limit) Forget(ctx context.Context, app *function.App, who string) error {
	client, err := redisdb.Of(app)
	if err != nil {
		return fmt.Errorf("forget attempts: %w", err)
	}
	if err := client.Del(ctx, l.key(who)).Err(); err != nil {
		return fmt.Errorf("forget attempts: %w", err)
	}
	return nil
}

// key has a hash in it: who may be any text, of any length.
func (l Limit) key(who string) string {
	sum := sha256.Sum256([]byte(who))
	return "ratelimit:" + l.Name + ":" + hex.EncodeToString(sum[:16])
}
