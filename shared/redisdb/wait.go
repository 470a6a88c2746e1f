package redisdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/function"
)

// Wait returns as soon as Redis answers. Where Redis refuses us, with a wrong
// password for example, it returns that error at once: waiting would not mend it.
func Wait(ctx context.Context, app *function.App) error {
	c, err := Of(app)
	if err != nil {
		return err
	}
	for pause, first := 100*time.Millisecond, true; ; pause, first = min(2*pause, 2*time.Second), false {
		err := c.Ping(ctx).Err()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			if !first {
				app.Log.InfoContext(ctx, "Redis answers")
			}
			return nil
		case refused(err):
			return fmt.Errorf("redis: %w", err)
		case first:
			app.Log.WarnContext(ctx, "waiting for Redis", "error", err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// refused tells an answer that stays from one that passes: a Redis that starts or
// fails over gives answers of the latter kind.
func refused(err error) bool {
	reply, ok := errors.AsType[redis.Error](err)
	if !ok {
		return false
	}
	for _, passing := range []string{"LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "READONLY"} {
		if strings.HasPrefix(reply.Error(), passing) {
			return false
		}
	}
	return true
}
