package redisdb_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/cache"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/idempotent"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/inspect"
	"github.com/tandem-api/tandem/shared/queue/metrics"
	"github.com/tandem-api/tandem/shared/queue/outbox"
	"github.com/tandem-api/tandem/shared/queue/worker"
	"github.com/tandem-api/tandem/shared/ratelimit"
	"github.com/tandem-api/tandem/shared/redisdb/redistest"
	"github.com/tandem-api/tandem/shared/workers"
)

// The shapes of Redis that a REDIS_URL names, each of real redis-servers.
var shapes = []struct {
	name  string
	start func(t *testing.T) (url string)
}{
	{"one, secured", func(t *testing.T) string {
		_, url := redistest.StartSecured(t, redistest.NewSecured(t, "p@ss/word"))
		return url
	}},
	{"sentinels", func(t *testing.T) string { return redistest.StartSentinels(t, nil).URL }},
	{"sentinels, secured", func(t *testing.T) string {
		return redistest.StartSentinels(t, redistest.NewSecured(t, "p@ss/word")).URL
	}},
	{"a cluster", func(t *testing.T) string { return redistest.StartCluster(t, nil).URL }},
	{"a cluster, secured", func(t *testing.T) string { return redistest.StartCluster(t, redistest.NewSecured(t, "p@ss/word")).URL }},
}

// uses is all that the project does with Redis. In a cluster, a command or a script that
// touches keys of two slots would fail.
var uses = []struct {
	name string
	use  func(t *testing.T, app *apptest.App)
}{
	{"jobs are done, limited and told apart", jobsAreDone},
	{"a chain runs to its end", chainRuns},
	{"schedules fire, and the outbox is emptied", leads},
	{"a running job is cancelled", cancels},
	{"jobs are listed, found, run, archived, deleted and held back", inspects},
	{"metrics are told", tells},
	{"answers are cached", caches},
	{"attempts are counted", counts},
	{"a request is done once", onlyOnce},
	{"a session is revoked", revokes},
}

func TestShapes(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			t.Parallel()
			url := shape.start(t)
			for _, use := range uses {
				t.Run(use.name, func(t *testing.T) { use.use(t, on(t, url)) })
			}
		})
	}
}

// on is an app on the Redis of that URL.
func on(t *testing.T, url string) *apptest.App {
	t.Helper()
	return apptest.New(t, func(c *config.Config) { c.RedisURL = config.Secret(url) })
}

// wait waits longer than apptest.Eventually: other processes have to do something.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

func inspector(t *testing.T, app *apptest.App) *inspect.Inspector {
	t.Helper()
	i, err := inspect.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func drain(t *testing.T, app *apptest.App, jobs ...queue.Declared) {
	t.Helper()
	if err := worker.Run(t.Context(), app.App, jobs, worker.Options{Burst: true}); err != nil {
		t.Fatal(err)
	}
}

// work runs a worker until stop is called.
func work(t *testing.T, app *apptest.App, o worker.Options, jobs ...queue.Declared) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx, app.App, jobs, o) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func jobsAreDone(t *testing.T, app *apptest.App) {
	var done, now, most atomic.Int64
	job := queue.Job[int]{Kind: "count", Limit: 2, Do: func(context.Context, *function.App, int) error {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer now.Add(-1)
		done.Add(1)
		return nil
	}}
	all := make([]int, 40)
	for n := range all {
		all[n] = n
	}
	if _, err := job.EnqueueMany(t.Context(), app.App, all, queue.To(queue.Critical), queue.Unique(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := job.Enqueue(t.Context(), app.App, 7, queue.To(queue.Critical), queue.Unique(time.Minute)); !errors.Is(err, queue.ErrDuplicate) {
		t.Errorf("the same job again: %v", err)
	}
	work(t, app, worker.Options{}, job) // beyond their limit jobs are put off by a second or two
	wait(t, "all are done", func() bool { return done.Load() == int64(len(all)) })
	if most.Load() > 2 {
		t.Errorf("%d ran at once", most.Load())
	}
}

func chainRuns(t *testing.T, app *apptest.App) {
	got := make(chan string, 1)
	last := queue.Job[string]{Kind: "last", Queue: queue.Low, Do: func(ctx context.Context, _ *function.App, text string) error {
		run, _ := queue.Running(ctx)
		got <- text + string(run.Parent.Result)
		return nil
	}}
	first := queue.Job[string]{Kind: "first", Keep: time.Minute, Do: func(ctx context.Context, _ *function.App, text string) error {
		return queue.SetResult(ctx, text)
	}}
	info, err := first.Enqueue(t.Context(), app.App, "a", queue.Then(last.With("b", queue.Keep(time.Minute))))
	if err != nil {
		t.Fatal(err)
	}
	drain(t, app, first, last)
	if text := <-got; text != `b"a"` {
		t.Errorf("got %s", text)
	}
	j, err := inspector(t, app).Find(t.Context(), info.ID)
	if err != nil || len(j.Children) != 1 || j.Children[0].State != "completed" {
		t.Errorf("%+v, %v", j, err)
	}
}

func leads(t *testing.T, app *apptest.App) {
	done := make(chan string, 10)
	job := queue.Job[string]{Kind: "lead", Do: func(_ context.Context, _ *function.App, text string) error {
		done <- text
		return nil
	}}
	db, err := database.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := workers.EnqueueTx(t.Context(), db, job, "row"); err != nil {
		t.Fatal(err)
	}
	when := time.Now().Add(2 * time.Second).UTC().Format("at(2006-01-02T15:04:05)")
	timed := []queue.Timed{queue.NewTimed("shapes", when, "", job.With("tick"))}
	stop := work(t, app, worker.Options{Timed: timed, Outbox: true}, job)
	seen := map[string]bool{<-done: true, <-done: true}
	if !seen["row"] || !seen["tick"] {
		t.Errorf("got %v", seen)
	}
	stop()
	if err := outbox.All(t.Context(), app.App); err != nil {
		t.Error(err)
	}
	drain(t, app, job)
	if len(done) > 0 {
		t.Errorf("done again: %s", <-done)
	}
}

func cancels(t *testing.T, app *apptest.App) {
	i, started, ended := inspector(t, app), make(chan bool, 1), make(chan error, 1)
	job := queue.Job[string]{Kind: "wait", Do: func(ctx context.Context, _ *function.App, _ string) error {
		started <- true
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return context.Cause(ctx)
	}}
	work(t, app, worker.Options{}, job)
	info, err := job.Enqueue(t.Context(), app.App, "")
	if err != nil {
		t.Fatal(err)
	}
	<-started
	var why error
	wait(t, "it has ended", func() bool {
		select {
		case why = <-ended:
			return true
		default:
			_, _ = i.Cancel(t.Context(), info.ID) // again: the worker may not listen yet
			return false
		}
	})
	if !errors.Is(why, queue.ErrCancelled) {
		t.Errorf("it ended because of %v", why)
	}
}

func inspects(t *testing.T, app *apptest.App) {
	i, job := inspector(t, app), queue.Job[int]{Kind: "inspected", Queue: queue.Low, Do: func(context.Context, *function.App, int) error { return nil }}
	infos, err := job.EnqueueMany(t.Context(), app.App, []int{1, 2, 3, 4}, queue.In(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for what, do := range map[string]func() error{
		"run":     func() error { return i.Run(ctx, infos[0].ID) },
		"archive": func() error { return i.Archive(ctx, infos[1].ID) },
		"delete":  func() error { return i.Delete(ctx, infos[2].ID) },
		"pause":   func() error { return i.Pause(ctx, queue.Low) },
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	page, err := i.List(ctx, inspect.Filter{Queue: queue.Low, Limit: 10})
	states := map[string]string{}
	for _, j := range page.Jobs {
		states[j.ID] = j.State
	}
	if err != nil || states[infos[0].ID] != "pending" || states[infos[1].ID] != "archived" || states[infos[2].ID] != "" || states[infos[3].ID] != "scheduled" {
		t.Errorf("%v, %v", states, err)
	}
	if n, err := i.RunAll(ctx, queue.Low, "scheduled"); n != 1 || err != nil {
		t.Errorf("run all: %d, %v", n, err)
	}
	if n, err := i.ArchiveAll(ctx, queue.Low, "pending"); n != 2 || err != nil {
		t.Errorf("archive all: %d, %v", n, err)
	}
	if n, err := i.DeleteAll(ctx, queue.Low, "archived"); n != 3 || err != nil {
		t.Errorf("delete all: %d, %v", n, err)
	}
	stats, err := i.Stats(ctx)
	if err != nil || len(stats.Queues) == 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	if err := i.Resume(ctx, queue.Low); err != nil {
		t.Error(err)
	}
}

func tells(t *testing.T, app *apptest.App) {
	job := queue.Job[int]{Kind: "measured", Do: func(context.Context, *function.App, int) error { return nil }}
	if _, err := job.Enqueue(t.Context(), app.App, 1); err != nil {
		t.Fatal(err)
	}
	drain(t, app, job)
	w := httptest.NewRecorder()
	metrics.Handler(app.App).ServeHTTP(w, httptest.NewRequest("GET", "/internal/metrics", nil))
	for _, line := range []string{"tandem_queue_up 1", `tandem_jobs_total{kind="measured",outcome="done",queue="default"} 1`} {
		if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
			t.Errorf("no line %s in\n%s", line, w.Body)
		}
	}
}

// routed serves one handler, behind whatever stands before it.
func routed(app *apptest.App, before func(app *function.App, r chi.Router) error, h function.Handler) string {
	return app.Serve(function.Function{Name: "shapes", Routes: func(app *function.App, r chi.Router) error {
		if err := before(app, r); err != nil {
			return err
		}
		r.Handle("/x", app.Handle(h))
		return nil
	}})
}

func caches(t *testing.T, app *apptest.App) {
	h := cache.Route(app.App, cache.Options{}, func(w http.ResponseWriter, _ *http.Request) error {
		_, err := io.WriteString(w, "fresh")
		return err
	})
	url := routed(app, func(*function.App, chi.Router) error { return nil }, h)
	for _, want := range []string{"MISS", "HIT"} {
		if got := apptest.Do(t, "GET", url+"/x", "", nil); got.Header.Get("X-Cache") != want || got.Body != "fresh" {
			t.Errorf("X-Cache: %s, %q; want %s", got.Header.Get("X-Cache"), got.Body, want)
		}
	}
}

func counts(t *testing.T, app *apptest.App) {
	limit := ratelimit.Limit{Name: "shapes", Attempts: 1, Window: time.Minute}
	for _, allowed := range []bool{true, false} {
		if after, err := limit.Attempt(t.Context(), app.App, "ann"); err != nil || (after == 0) != allowed {
			t.Errorf("%s, %v; allowed should be %t", after, err, allowed)
		}
	}
	if err := limit.Forget(t.Context(), app.App, "ann"); err != nil {
		t.Error(err)
	}
}

func onlyOnce(t *testing.T, app *apptest.App) {
	var done atomic.Int64
	url := routed(app, func(app *function.App, r chi.Router) error {
		r.Use(idempotent.Once(app))
		return nil
	}, func(w http.ResponseWriter, _ *http.Request) error {
		done.Add(1)
		w.WriteHeader(http.StatusCreated)
		return nil
	})
	for _, replayed := range []string{"", "true"} {
		got := apptest.Do(t, "POST", url+"/x", "body", http.Header{"Idempotency-Key": {"k"}})
		if got.Status != http.StatusCreated || got.Header.Get("Idempotency-Replayed") != replayed || done.Load() != 1 {
			t.Errorf("%d %s; done %d times", got.Status, got.Header, done.Load())
		}
	}
}

func revokes(t *testing.T, app *apptest.App) {
	url := routed(app, func(app *function.App, r chi.Router) error {
		login, err := auth.Required(app)
		r.Use(login)
		return err
	}, func(http.ResponseWriter, *http.Request) error { return nil })
	login := auth.Begin("ann", 1, "hash")
	token, _, err := login.Token(app.Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{http.StatusOK, http.StatusUnauthorized} {
		if got := apptest.Do(t, "GET", url+"/x", "", http.Header{"Authorization": {"Bearer " + token}}); got.Status != want {
			t.Errorf("%d %s, want %d", got.Status, got.Body, want)
		}
		if err := login.Revoke(t.Context(), app.App); err != nil {
			t.Fatal(err)
		}
	}
}

// A master goes while requests enqueue and a worker works: no request waits for longer
// than a second, those that cannot be served are told to come back, and soon all is as
// before, on the replica.
func TestFailover(t *testing.T) {
	shapes := map[string]func(*testing.T) (url string, master *redistest.Server){
		"sentinels": func(t *testing.T) (string, *redistest.Server) {
			s := redistest.StartSentinels(t, nil)
			return s.URL, s.Master
		},
		"a cluster": func(t *testing.T) (string, *redistest.Server) {
			c := redistest.StartCluster(t, nil)
			master := c.MasterOf("asynq:{default}") // it holds the whole queue
			c.AddReplica(t, master)
			return c.URL, master
		},
	}
	for shape, start := range shapes {
		for name, gone := range map[string]func(*redistest.Server){
			"the master is killed": (*redistest.Server).Kill,
			"the master hangs":     func(s *redistest.Server) { s.Freeze() },
		} {
			t.Run(shape+", "+name, func(t *testing.T) {
				t.Parallel()
				url, master := start(t)
				failover(t, url, func() { gone(master) })
			})
		}
	}
}

func failover(t *testing.T, url string, gone func()) {
	t.Helper()
	app := on(t, url)
	var mu sync.Mutex
	done := map[int]int{}
	job := queue.Job[int]{Kind: "count", Do: func(_ context.Context, _ *function.App, n int) error {
		mu.Lock()
		defer mu.Unlock()
		done[n]++
		return nil
	}}
	work(t, app, worker.Options{}, job)
	var longest time.Duration
	refused := 0
	enqueue := func(n int) bool {
		began := time.Now()
		_, err := job.Enqueue(t.Context(), app.App, n)
		longest = max(longest, time.Since(began))
		if e, ok := errors.AsType[*httperror.Error](err); ok && e.Status == http.StatusServiceUnavailable && e.Header.Get("Retry-After") != "" {
			refused++
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		return true
	}
	isDone := func(n int) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return done[n] > 0
		}
	}
	if !enqueue(0) {
		t.Fatal("refused before anything has happened")
	}
	wait(t, "a job is done", isDone(0))
	gone()
	left := time.Now()
	n := 1
	wait(t, "jobs are taken again", func() bool { return enqueue(n) })
	taken := time.Since(left)
	for ; n < 100; n++ {
		wait(t, "jobs are taken", func() bool { return enqueue(n + 1) })
	}
	for i := range n + 1 {
		wait(t, "all that was taken is done", isDone(i))
	}
	t.Logf("taken again after %s, %d refused, the longest took %s", taken.Round(10*time.Millisecond), refused, longest.Round(time.Millisecond))
	if taken > 30*time.Second {
		t.Error("it takes too long to find the new master")
	}
	if refused == 0 {
		t.Error("none was refused: the master was not needed")
	}
	if longest > queue.Patience+queue.Patience/2 { // the machine may be busy
		t.Errorf("an enqueueing took %s", longest)
	}
}
