package queue

import (
	"context"
	"crypto/md5"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// lock is what asynq keeps of a unique job: a key that holds the id of the one that is
// there.
type lock struct {
	app        *function.App
	key, tasks string
}

func lockOf(app *function.App, kind string, payload []byte, o options) lock {
	sum := md5.Sum(payload) //nolint:gosec // asynq's choice; nothing is secured by it
	return lock{app, fmt.Sprintf("asynq:{%s}:unique:%s:%x", o.queue, kind, sum), fmt.Sprintf("asynq:{%s}:t:", o.queue)}
}

// asynq (0.26) opens the lock when the job has succeeded or is deleted, and leaves it shut
// when the job becomes a dead letter, which neither waits nor runs.
var release = redis.NewScript(`
local id = redis.call("GET", KEYS[1])
if not id then
	return ""
end
local state = redis.call("HGET", ARGV[1] .. id, "state")
if state and state ~= "archived" then
	return id
end
redis.call("DEL", KEYS[1])
return ""`)

// release opens the lock where a dead letter has it. Otherwise it returns the id of the
// job that has it, where that could be found out.
func (l lock) release(ctx context.Context) (holder string, open bool) {
	c, err := redisdb.Of(l.app)
	if err != nil {
		return "", false
	}
	holder, err = release.Run(ctx, c, []string{l.key}, l.tasks).Text()
	return holder, err == nil && holder == ""
}
