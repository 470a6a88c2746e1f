package ratelimit_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/ratelimit"
)

var limit = ratelimit.Limit{Name: "test", Attempts: 3, Window: time.Minute}

func attempt(t *testing.T, app *apptest.App, l ratelimit.Limit, who string) time.Duration {
	t.Helper()
	wait, err := l.Attempt(t.Context(), app.App, who)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

func TestAttempts(t *testing.T) {
	app := apptest.New(t)
	for i := range 3 {
		if wait := attempt(t, app, limit, "ada"); wait != 0 {
			t.Fatalf("attempt %d: wait for %s", i+1, wait)
		}
		app.Redis.FastForward(10 * time.Second)
	}
	if wait := attempt(t, app, limit, "ada"); wait != 30*time.Second {
		t.Errorf("the fourth: wait for %s, want what is left of the window, 30s", wait)
	}
	if wait := attempt(t, app, limit, "grace"); wait != 0 {
		t.Errorf("somebody else: wait for %s", wait)
	}
	other := limit
	other.Name = "other"
	if wait := attempt(t, app, other, "ada"); wait != 0 {
		t.Errorf("another limit: wait for %s", wait)
	}
	app.Redis.FastForward(30 * time.Second)
	if wait := attempt(t, app, limit, "ada"); wait != 0 {
		t.Errorf("after the window: wait for %s", wait)
	}
}

func TestForget(t *testing.T) {
	app := apptest.New(t)
	for range 4 {
		attempt(t, app, limit, "ada")
	}
	if err := limit.Forget(t.Context(), app.App, "ada"); err != nil {
		t.Fatal(err)
	}
	if wait := attempt(t, app, limit, "ada"); wait != 0 {
		t.Errorf("wait for %s", wait)
	}
}

func TestAttemptsAtOnceAreAllCounted(t *testing.T) {
	app := apptest.New(t)
	var allowed atomic.Int32
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if wait, err := limit.Attempt(t.Context(), app.App, "ada"); err == nil && wait == 0 {
				allowed.Add(1)
			}
		})
	}
	group.Wait()
	if n := allowed.Load(); n != 3 {
		t.Errorf("%d were allowed, want 3", n)
	}
}

func TestRedisIsDown(t *testing.T) {
	app := apptest.New(t)
	app.Redis.Close()
	if _, err := limit.Attempt(t.Context(), app.App, "ada"); err == nil {
		t.Error("no error from Attempt")
	}
	if err := limit.Forget(t.Context(), app.App, "ada"); err == nil {
		t.Error("no error from Forget")
	}
}
