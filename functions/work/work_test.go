package work_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tandem-api/tandem/functions/work"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/queue/inspect"
	"github.com/tandem-api/tandem/shared/queue/worker"
	"github.com/tandem-api/tandem/shared/redisdb/redistest"
	"github.com/tandem-api/tandem/shared/workers"
)

// states counts the jobs of the queues by state, and fails the test for one that ran
// more than once.
func states(t *testing.T, app *apptest.App) map[string]int64 {
	t.Helper()
	i, err := inspect.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int64{}
	for f := (inspect.Filter{Limit: 100}); ; {
		page, err := i.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range page.Jobs {
			counts[j.State]++
			if j.Attempts > 1 {
				t.Errorf("a job ran %d times: %+v", j.Attempts, j)
			}
		}
		if f.Cursor = page.Next; f.Cursor == "" {
			return counts
		}
	}
}

// The bootstrap behind a Runtime API, a deadline of ten seconds, and far more jobs than
// fit into it: nothing is lost, and nothing runs twice.
func TestWorksUntilShortlyBeforeItsDeadline(t *testing.T) {
	t.Parallel()
	for name, redis := range map[string]func(t *testing.T) config.Secret{
		"the embedded Redis": nil,
		"a real Redis": func(t *testing.T) config.Secret {
			return config.Secret("redis://" + redistest.Start(t).Addr)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := apptest.New(t, func(c *config.Config) {
				if redis != nil {
					c.RedisURL = redis(t)
				}
			})
			worksUntilShortlyBeforeItsDeadline(t, app)
		})
	}
}

func worksUntilShortlyBeforeItsDeadline(t *testing.T, app *apptest.App) {
	t.Helper()
	const jobs = 500
	args := make([]workers.SlowArgs, jobs)
	for i := range args {
		args[i].Seconds = 1
	}
	if _, err := workers.SlowJob.EnqueueMany(t.Context(), app.App, args); err != nil {
		t.Fatal(err)
	}
	rt := apptest.NewRuntime(t)
	rt.Start(apptest.Build(t, "./functions/work/bootstrap"), "work",
		"REDIS_URL="+app.Config.RedisURL.Reveal(), "DATABASE_URL="+app.Config.DatabaseURL.Reveal())
	var done int64
	for range 2 { // the second time in the same process, which was frozen in between
		answer, err := rt.InvokeWithin(10*time.Second, apptest.EventFile(t, "work"))
		if err != nil {
			t.Fatal(err)
		}
		var d worker.Drained
		if err := json.Unmarshal(answer, &d); err != nil {
			t.Fatal(err)
		}
		done += d.Jobs
		if got := states(t, app); d.Jobs < 10 || d.Pending != jobs-done || got["completed"] != done || got["pending"] != d.Pending {
			t.Errorf("it says %+v; the jobs are %v", d, got)
		}
	}
}

func TestStopsWhenTheQueuesAreEmpty(t *testing.T) {
	t.Parallel()
	app := apptest.New(t)
	if _, err := workers.SlowJob.Enqueue(t.Context(), app.App, workers.SlowArgs{}); err != nil {
		t.Fatal(err)
	}
	take, err := work.Function.EventHandler(app.App)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := take(t.Context(), apptest.EventFile(t, "work")) // without a deadline, as a test may be
	if err != nil || answer != (worker.Drained{Jobs: 1}) {
		t.Errorf("got %+v, %v", answer, err)
	}
}

func TestRedisIsDown(t *testing.T) {
	t.Parallel()
	app := apptest.New(t)
	app.Redis.Close()
	take, err := work.Function.EventHandler(app.App)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := take(t.Context(), []byte(`{}`)); err == nil {
		t.Error("no error")
	}
	if n := len(app.Reports()); n != 1 {
		t.Errorf("%d reports", n)
	}
}
