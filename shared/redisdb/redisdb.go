// Package redisdb connects to Redis. The cache and the queue share the connection.
package redisdb

import (
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/function"
)

// ErrNotConfigured says that REDIS_URL is unset where nothing embeds a Redis.
var ErrNotConfigured = errors.New("REDIS_URL is not set")

var client = function.Resource[redis.UniversalClient]{
	Name:  "redis",
	Open:  open,
	Close: redis.UniversalClient.Close,
}

// Of returns the App's Redis client. It connects at the first command, not here.
func Of(app *function.App) (redis.UniversalClient, error) { return client.Of(app) }

func open(app *function.App) (redis.UniversalClient, error) {
	if app.Config.RedisURL == "" {
		return nil, ErrNotConfigured
	}
	o, err := redis.ParseURL(app.Config.RedisURL.Reveal())
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	// A request must not wait for a Redis that hangs.
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = time.Second, time.Second, time.Second
	o.MaxRetries = -1
	o.ContextTimeoutEnabled = true
	return redis.NewClient(o), nil
}
