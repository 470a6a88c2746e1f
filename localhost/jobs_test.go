package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/inspect"
	"github.com/tandem-api/tandem/shared/workers"
)

// jobsOf runs `localhost jobs …` on the app's Redis.
func jobsOf(t *testing.T, app *apptest.App, args ...string) outcome {
	t.Helper()
	env := map[string]string{"REDIS_URL": app.Config.RedisURL.Reveal(), "AUTH_SECRET": string(apptest.AuthSecret)}
	return localhost(t, env, append([]string{"jobs"}, args...)...)
}

func slow(t *testing.T, app *apptest.App, seconds int, opts ...queue.Option) string {
	t.Helper()
	info, err := workers.SlowJob.Enqueue(t.Context(), app.App, workers.SlowArgs{Seconds: seconds}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return info.ID
}

func TestJobs(t *testing.T) {
	app := apptest.New(t)
	a, b, c := slow(t, app, 1), slow(t, app, 2, queue.In(time.Hour)), slow(t, app, 3, queue.To(queue.Low))
	for _, step := range []struct {
		args string
		says string // in the standard output, of which all parts must be there
	}{
		{"list", "ID KIND QUEUE STATE " + a + " slow_job default pending 0/4 " + c},
		{"list -queue low", c},
		{"list -state scheduled -limit 1", b},
		{"list -limit 1", "-cursor"},
		{"show " + a, `arguments {"seconds":1} attempts 0 of 4`},
		{"archive " + a, a + ": archived"},
		{"run " + a + " " + b, b + ": runs now"},
		{"list -state pending", b},
		{"cancel " + a, a + ": cancelled"},
		{"archive -all pending -queue default", "1 of default: archived"},
		{"delete -all archived", "1 of default: deleted 0 of low: deleted"},
		{"pause low", "low: paused"},
		{"stats", "QUEUE ACTIVE low 0 1 paused"},
		{"resume low", "low: resumed"},
		{"delete " + c, c + ": deleted"},
		{"-h", "Usage of localhost jobs"},
	} {
		got := jobsOf(t, app, strings.Fields(step.args)...)
		rest := got.stdout
		for part := range strings.FieldsSeq(step.says) {
			_, after, found := strings.Cut(rest, part)
			if !found {
				t.Errorf("jobs %s\n%s%s has no %q", step.args, got.stdout, got.stderr, part)
				break
			}
			rest = after
		}
		if got.code != 0 {
			t.Errorf("jobs %s ends with %d: %s", step.args, got.code, got.stderr)
		}
	}
}

func TestJobsAsJSON(t *testing.T) {
	app := apptest.New(t)
	id := slow(t, app, 1)
	var page inspect.Page
	var job inspect.Job
	var stats inspect.Stats
	for args, into := range map[string]any{"list": &page, "show " + id: &job, "stats": &stats} {
		got := jobsOf(t, app, append(strings.Fields(args), "-json")...)
		if err := json.Unmarshal([]byte(got.stdout), into); err != nil {
			t.Errorf("jobs %s: %v: %s%s", args, err, got.stdout, got.stderr)
		}
	}
	if len(page.Jobs) != 1 || page.Jobs[0].ID != id || job.ID != id || len(stats.Queues) != 1 || stats.Queues[0].Pending != 1 {
		t.Errorf("got %+v, %+v, %+v", page, job, stats)
	}
}

func TestJobsRefuses(t *testing.T) {
	app := apptest.New(t)
	id, cancelled := slow(t, app, 1), slow(t, app, 2) // the cases run in any order
	for args, want := range map[string]struct {
		code int
		says string
	}{
		"":                                {2, "jobs: say list"},
		"frob":                            {2, "jobs: say list"},
		"show":                            {2, "its id"},
		"run":                             {2, "their ids"},
		"run x -all retry":                {2, "their ids"},
		"run -all sleeping":               {2, `no state "sleeping"`},
		"list -queue lost":                {2, `no queue "lost"`},
		"list -limit 0":                   {2, "-limit"},
		"list now":                        {2, `"now"`},
		"pause":                           {2, "critical, default, low"},
		"show none":                       {1, "not found"},
		"pause lost":                      {1, "not found"},
		"run " + id:                       {1, "which is pending"},
		"archive -all completed":          {1, "completed"},
		"cancel none " + cancelled + " x": {1, "not found"},
	} {
		if got := jobsOf(t, app, strings.Fields(args)...); got.code != want.code || !strings.Contains(got.stderr, want.says) {
			t.Errorf("jobs %s: %d %s, want %d with %q", args, got.code, got.stderr, want.code, want.says)
		}
	}
	if got := localhost(t, map[string]string{"AUTH_SECRET": string(apptest.AuthSecret)}, "jobs", "list"); got.code != 2 || !strings.Contains(got.stderr, "REDIS_URL") {
		t.Errorf("without a Redis: %+v", got)
	}
	app.Redis.Close()
	if got := jobsOf(t, app, "stats"); got.code != 1 || !strings.Contains(got.stderr, "does not answer") {
		t.Errorf("with a Redis that is down: %+v", got)
	}
}

// workerProcess is a `localhost worker` as a user starts it.
type workerProcess struct {
	*exec.Cmd
	log *lines
}

func startWorker(t *testing.T, app *apptest.App, args ...string) workerProcess {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	w := workerProcess{exec.CommandContext(t.Context(), path, append([]string{"worker"}, args...)...), &lines{}}
	w.Dir = t.TempDir() // which has no template, as a machine that only runs workers
	w.Env, w.Stderr = app.Env(), w.log
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if w.ProcessState == nil {
			_ = w.Process.Kill()
			_ = w.Wait()
		}
		if t.Failed() {
			t.Logf("the worker has logged:\n%s", w.log)
		}
	})
	return w
}

// state returns the state of a job, and "" where it is gone.
func state(t *testing.T, app *apptest.App, id string) string {
	t.Helper()
	i, err := inspect.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	j, _ := i.Find(t.Context(), id)
	return j.State
}

func TestWorkerPausesAndDrains(t *testing.T) {
	t.Parallel()
	app := apptest.New(t)
	w := startWorker(t, app)
	first := slow(t, app, 0)
	apptest.Eventually(t, "the worker works", func() bool { return state(t, app, first) == "completed" })

	signal := func(s os.Signal) {
		if err := w.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGTSTP)
	apptest.Eventually(t, "the worker has paused", func() bool { return strings.Contains(w.log.String(), "worker paused") })
	second := slow(t, app, 1)
	<-time.After(time.Second)
	if s := state(t, app, second); s != "pending" {
		t.Errorf("during the pause the job is %s", s)
	}
	signal(syscall.SIGCONT)
	apptest.Eventually(t, "the worker goes on", func() bool { return state(t, app, second) == "active" })
	signal(syscall.SIGTERM)
	if err := w.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	if s := state(t, app, second); s != "completed" {
		t.Errorf("the job that was under way is %s", s)
	}
}

func TestWorkerWaitsForRedis(t *testing.T) {
	t.Parallel()
	app := apptest.New(t)
	id := slow(t, app, 0)
	app.Redis.SetError("LOADING Redis is loading the dataset in memory")
	w := startWorker(t, app)
	apptest.Eventually(t, "the worker waits", func() bool { return strings.Contains(w.log.String(), "waiting for Redis") })
	app.Redis.SetError("")
	apptest.Eventually(t, "the job is done", func() bool { return state(t, app, id) == "completed" })
}

func TestBurstWorkerEndsWithTheQueues(t *testing.T) {
	t.Parallel()
	app := apptest.New(t)
	id, later := slow(t, app, 0), slow(t, app, 0, queue.In(time.Hour))
	if err := startWorker(t, app, "-burst").Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	if a, b := state(t, app, id), state(t, app, later); a != "completed" || b != "scheduled" {
		t.Errorf("the jobs are %s and %s", a, b)
	}
}
