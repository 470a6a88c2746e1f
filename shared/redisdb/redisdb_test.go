package redisdb_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/apptest/loopback"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/redisdb"
)

func newApp(t *testing.T, url string) *function.App {
	t.Helper()
	app := function.New(config.Config{RedisURL: config.Secret(url)}, io.Discard)
	t.Cleanup(func() { _ = app.Close(context.Background()) })
	return app
}

func ping(ctx context.Context, t *testing.T, app *function.App) error {
	t.Helper()
	c, err := redisdb.Of(app)
	if err != nil {
		t.Fatal(err)
	}
	return c.Ping(ctx).Err()
}

func TestPassword(t *testing.T) {
	r := apptest.Redis(t)
	r.RequireAuth("p@ss/word")
	if err := ping(t.Context(), t, newApp(t, "redis://:p%40ss%2Fword@"+r.Addr())); err != nil {
		t.Error(err)
	}
	if err := ping(t.Context(), t, newApp(t, "redis://:wrong@"+r.Addr())); err == nil {
		t.Error("a wrong password is let in")
	}
}

func TestWithoutREDIS_URL(t *testing.T) {
	if _, err := redisdb.Of(newApp(t, "")); !errors.Is(err, redisdb.ErrNotConfigured) {
		t.Errorf("got %v", err)
	}
}

func TestHungRedisHoldsNobody(t *testing.T) {
	for _, url := range []string{"redis://HOST", "rediss://HOST", "redis-sentinel://HOST/main", "redis-cluster://HOST"} {
		t.Run(url, func(t *testing.T) {
			t.Parallel()
			app := newApp(t, strings.Replace(url, "HOST", loopback.Hung(t), 1))
			for name, end := range map[string]time.Duration{"with a deadline": 100 * time.Millisecond, "without one": time.Hour} {
				ctx, cancel := context.WithTimeout(t.Context(), end)
				defer cancel()
				done := make(chan error, 1)
				go func() { done <- ping(ctx, t, app) }()
				select {
				case err := <-done:
					if err == nil {
						t.Errorf("%s: an answer from nobody", name)
					}
				case <-time.After(20 * time.Second):
					t.Errorf("%s: it hangs", name)
				}
			}
		})
	}
}

func TestWait(t *testing.T) {
	t.Run("until Redis is up", func(t *testing.T) {
		r := apptest.Redis(t)
		app := newApp(t, "redis://"+r.Addr())
		r.Close()
		done := make(chan error, 1)
		go func() { done <- redisdb.Wait(t.Context(), app) }()
		select {
		case err := <-done:
			t.Fatalf("it did not wait: %v", err)
		case <-time.After(300 * time.Millisecond):
		}
		if err := r.Restart(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Run("not when Redis refuses", func(t *testing.T) {
		r := apptest.Redis(t)
		r.RequireAuth("secret")
		if err := redisdb.Wait(t.Context(), newApp(t, "redis://:wrong@"+r.Addr())); err == nil {
			t.Error("no error")
		}
	})
	t.Run("not for longer than the context", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := redisdb.Wait(ctx, newApp(t, "redis://127.0.0.1:1")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
