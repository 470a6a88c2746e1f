package worker_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/worker"
	"github.com/tandem-api/tandem/shared/redisdb"
	"github.com/tandem-api/tandem/shared/redisdb/redistest"
)

// start runs a worker until the test ends, or stop is called.
func start(t *testing.T, app *function.App, o worker.Options, jobs ...queue.Declared) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx, app, jobs, o) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// within waits for the condition, as long as that at most.
func within(t *testing.T, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	deadline, again := time.NewTimer(limit), time.NewTicker(10*time.Millisecond)
	defer deadline.Stop()
	defer again.Stop()
	for !condition() {
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("waited %s in vain: %s", limit, what)
		}
	}
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	within(t, 30*time.Second, what, condition)
}

func state(t *testing.T, i *asynq.Inspector, info queue.Info) string {
	t.Helper()
	task, err := i.GetTaskInfo(info.Queue, info.ID)
	if errors.Is(err, asynq.ErrTaskNotFound) {
		return "gone"
	}
	if err != nil {
		t.Fatal(err)
	}
	return task.State.String()
}

// gate is a job that says when it has started, and goes on when it may.
func gate() (job queue.Job[greeting], started chan string, open chan struct{}) {
	started, open = make(chan string, 100), make(chan struct{})
	return queue.Job[greeting]{Kind: "gate", Do: func(ctx context.Context, _ *function.App, args greeting) error {
		started <- args.Name
		select {
		case <-open:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}}, started, open
}

func enqueue[A any](t *testing.T, app *function.App, job queue.Job[A], args A, opts ...queue.Option) queue.Info {
	t.Helper()
	info, err := job.Enqueue(t.Context(), app, args, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestStopLetsJobsFinish(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	job, started, open := gate()
	stop := start(t, app, worker.Options{}, job)
	info := enqueue(t, app, job, greeting{})
	<-started
	time.AfterFunc(100*time.Millisecond, func() { close(open) })
	stop()
	if s := state(t, inspect(t, app), info); s != "gone" {
		t.Errorf("the job under way is %s, and should have finished", s)
	}
}

func TestCancelledJobDoesNotRunAgain(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	i := inspect(t, app)
	job, started, _ := gate()
	start(t, app, worker.Options{}, job)
	info := enqueue(t, app, job, greeting{})
	<-started
	eventually(t, "the job is archived", func() bool {
		if err := i.CancelProcessing(info.ID); err != nil {
			t.Fatal(err)
		}
		return state(t, i, info) == "archived"
	})
	if task, _ := i.GetTaskInfo(info.Queue, info.ID); task.LastErr != "cancelled" {
		t.Errorf("its error is %q", task.LastErr)
	}
}

// A Redis that is full, or has become a replica, is not asked without a pause.
func TestARedisThatRefusesIsGivenTime(t *testing.T) {
	t.Parallel()
	for name, set := range map[string][]any{
		"it is full":      {"CONFIG", "SET", "maxmemory", "1"},
		"it is a replica": {"REPLICAOF", "127.0.0.1", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := redistest.Start(t)
			app := newAppOn(t, r.Addr)
			start(t, app, worker.Options{})
			c, err := redisdb.Of(app)
			if err != nil {
				t.Fatal(err)
			}
			refused := func() int {
				n, _ := strconv.Atoi(c.InfoMap(t.Context(), "stats").Item("Stats", "total_error_replies"))
				return n
			}
			before := refused() // by scripts that Redis had not seen yet
			r.Do(set...)
			began := time.Now()
			eventually(t, "it asks all the same", func() bool { return refused() > before+30 })
			if took := time.Since(began); took < time.Second {
				t.Errorf("it was asked 30 times in %s", took)
			}
		})
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	i := inspect(t, app)
	job, started, open := gate()
	pause := make(chan bool)
	start(t, app, worker.Options{Pause: pause}, job)
	before := enqueue(t, app, job, greeting{"before"})
	<-started
	pause <- true
	pause <- true // twice is once
	during := enqueue(t, app, job, greeting{"during"})
	select {
	case name := <-started:
		t.Fatalf("%s started during the pause", name)
	case <-time.After(1500 * time.Millisecond): // longer than asynq waits between two looks
	}
	pause <- false
	if name := <-started; name != "during" {
		t.Errorf("%s started", name)
	}
	if s := state(t, i, before); s != "active" {
		t.Errorf("the job that ran at the pause is %s", s)
	}
	close(open)
	for _, info := range []queue.Info{before, during} {
		eventually(t, "the jobs are done", func() bool { return state(t, i, info) == "gone" })
	}
}

func TestLimitHoldsOverAllWorkers(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	var running, most, done atomic.Int64
	job := queue.Job[greeting]{Kind: "greet", Limit: 2, Do: func(context.Context, *function.App, greeting) error {
		most.Store(max(most.Load(), running.Add(1)))
		defer running.Add(-1)
		<-time.After(100 * time.Millisecond) // long enough for others to come in
		done.Add(1)
		return nil
	}}
	for range 8 {
		enqueue(t, app, job, greeting{}, queue.Retries(0)) // to be put off is no failure
	}
	start(t, app, worker.Options{}, job)
	start(t, app, worker.Options{}, job)
	eventually(t, "all are done", func() bool { return done.Load() == 8 })
	if most.Load() != 2 {
		t.Errorf("%d ran at once, and 2 may", most.Load())
	}
}

func TestBurstWaitsForWhatALimitHasPutOff(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	var done atomic.Int64
	job := queue.Job[greeting]{Kind: "greet", Limit: 1, Do: func(context.Context, *function.App, greeting) error {
		<-time.After(50 * time.Millisecond) // long enough for others to come in
		done.Add(1)
		return nil
	}}
	for range 4 {
		enqueue(t, app, job, greeting{})
	}
	enqueue(t, app, job, greeting{}, queue.In(time.Hour)) // not waited for
	drain(t, app, job)
	if done.Load() != 4 {
		t.Errorf("%d are done, want 4", done.Load())
	}
}

func TestLimitOfAQueue(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	job, started, open := gate()
	for _, name := range []string{"a", "b"} {
		enqueue(t, app, job, greeting{name}, queue.To(queue.Low))
	}
	start(t, app, worker.Options{Limits: map[string]int{queue.Low: 1}}, job)
	<-started
	select {
	case <-started:
		t.Error("two run at once")
	case <-time.After(time.Second):
	}
	close(open)
	<-started
}

func TestStrictTakesTheHeavierQueueFirst(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	var order []string
	job := queue.Job[greeting]{Kind: "greet", Do: func(_ context.Context, _ *function.App, args greeting) error {
		order = append(order, args.Name) // one at a time
		return nil
	}}
	for range 5 {
		for _, name := range []string{queue.Low, queue.Default, queue.Critical} {
			enqueue(t, app, job, greeting{name}, queue.To(name))
		}
	}
	if err := worker.Run(t.Context(), app, []queue.Declared{job}, worker.Options{Burst: true, Strict: true, Concurrency: 1}); err != nil {
		t.Fatal(err)
	}
	if len(order) != 15 {
		t.Fatalf("%d ran", len(order))
	}
	for i, want := range []string{queue.Critical, queue.Default, queue.Low} {
		for _, got := range order[5*i : 5*i+5] {
			if got != want {
				t.Fatalf("the order is %v", order)
			}
		}
	}
}
