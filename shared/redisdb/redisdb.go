// Package redisdb connects to Redis, whatever its shape. The cache and the queue
// share the connection.
package redisdb

import (
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/tandem-api/tandem/shared/function"
)

// ErrNotConfigured says that REDIS_URL is unset where nothing embeds a Redis.
var ErrNotConfigured = errors.New("REDIS_URL is not set")

var client = function.Resource[redis.UniversalClient]{
	Name:  "redis",
	Open:  open,
	Close: redis.UniversalClient.Close,
}

// Of returns the App's Redis client. It connects at the first command, not here, and
// again by itself after a loss. A command takes a second at most, or as long as its
// context allows.
func Of(app *function.App) (redis.UniversalClient, error) { return client.Of(app) }

// go-redis writes lines of its own to the standard error, in a form of its own, about
// errors that it returns as well.
var silence = sync.OnceFunc(logging.Disable)

func open(app *function.App) (redis.UniversalClient, error) {
	if app.Config.RedisURL == "" {
		return nil, ErrNotConfigured
	}
	o, err := parse(app.Config.RedisURL.Reveal())
	if err != nil {
		return nil, err
	}
	silence()
	if o.IsClusterMode {
		return newCluster(o.Cluster()), nil
	}
	return redis.NewUniversalClient(o), nil
}

// newCluster asks a cluster for its masters more often than go-redis does, which is once a
// minute: it learns earlier of a new master only by the answers of the old one, which
// gives none once it is gone.
func newCluster(o *redis.ClusterOptions) redis.UniversalClient {
	o.ClusterStateReloadInterval = time.Second
	return redis.NewClusterClient(o)
}
