package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/redisdb"
	"github.com/tandem-api/tandem/shared/report"
)

const (
	// operation is the most that one read or write may cost a request.
	operation = 250 * time.Millisecond
	// pause is how long Redis is left alone after it did not answer. So a Redis that
	// hangs costs one request a second a quarter of one, and one that is back is in
	// use a second later.
	pause = time.Second
	// between is the least time between two reports; each failure is logged.
	between = time.Minute
)

// stores holds one store for each App, so that all routes of a process share what
// they know about Redis.
var stores = function.Resource[*store]{
	Name: "cache",
	Open: func(app *function.App) (*store, error) { return &store{app: app}, nil },
}

// store reads and writes answers in Redis. Its failures are logged and reported
// here, and to the caller are misses.
type store struct {
	app      *function.App
	pausedTo atomic.Int64 // Unix ns; 0 while Redis answers
	reported atomic.Int64 // Unix ns of the last report
	missing  sync.Once    // told that no Redis is configured
}

// get returns the answer under that key, or nil.
func (s *store) get(ctx context.Context, key string) *answer {
	var entry []byte
	ok := s.do(ctx, "read", func(ctx context.Context, c redis.UniversalClient) (err error) {
		entry, err = c.Get(ctx, key).Bytes()
		return err
	})
	if !ok || entry == nil {
		return nil
	}
	a, err := decode(entry)
	if err != nil {
		s.app.Log.WarnContext(ctx, "cache entry not understood, computing it again", "key", key, "error", err)
		return nil
	}
	return a
}

// set keeps the answer for that long.
func (s *store) set(ctx context.Context, key string, a *answer, ttl time.Duration) {
	entry, err := encode(a, time.Now())
	if err != nil {
		s.fail(ctx, fmt.Errorf("cache: encode an answer: %w", err))
		return
	}
	s.do(ctx, "write", func(ctx context.Context, c redis.UniversalClient) error {
		// Redis knows no time below a millisecond, and takes 0 for ever.
		return c.Set(ctx, key, entry, max(ttl, time.Millisecond)).Err()
	})
}

// do runs one operation within its time, unless Redis is left alone, and reports
// whether it succeeded.
func (s *store) do(ctx context.Context, what string, run func(context.Context, redis.UniversalClient) error) bool {
	if !s.open() {
		return false
	}
	client, err := redisdb.Of(s.app)
	if errors.Is(err, redisdb.ErrNotConfigured) {
		s.missing.Do(func() { s.app.Log.WarnContext(ctx, "nothing is cached: REDIS_URL is not set") })
		return false
	}
	if err == nil {
		// The handler may have used up all of its time, which is not Redis's fault.
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), operation)
		defer cancel()
		err = run(limited, client)
	}
	if err == nil || errors.Is(err, redis.Nil) {
		if s.pausedTo.Load() != 0 {
			s.pausedTo.Store(0)
		}
		return err == nil
	}
	// An error that Redis answered came at once, and other keys may do better.
	if _, answered := errors.AsType[redis.Error](err); !answered {
		s.pausedTo.Store(time.Now().Add(pause).UnixNano())
	}
	s.fail(ctx, fmt.Errorf("cache: %s: %w", what, err))
	return false
}

// open reports whether Redis may be asked. After a pause one caller may try, while
// the others are spared.
func (s *store) open() bool {
	to := s.pausedTo.Load()
	if to == 0 {
		return true
	}
	now := time.Now()
	return now.UnixNano() >= to && s.pausedTo.CompareAndSwap(to, now.Add(pause).UnixNano())
}

func (s *store) fail(ctx context.Context, err error) {
	s.app.Log.WarnContext(ctx, "answering without the cache", "error", err)
	last, now := s.reported.Load(), time.Now().UnixNano()
	if now-last >= int64(between) && s.reported.CompareAndSwap(last, now) {
		s.app.Report.Notify(ctx, err, report.Class("cache.Unavailable"))
	}
}
