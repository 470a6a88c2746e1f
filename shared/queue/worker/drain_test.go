package worker_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/worker"
)

func TestDrainStopsBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	var mu sync.Mutex
	ran := map[string]int{}
	job := queue.Job[greeting]{Kind: "greet", Do: func(ctx context.Context, _ *function.App, _ greeting) error {
		run, _ := queue.Running(ctx)
		mu.Lock()
		ran[run.ID]++
		mu.Unlock()
		<-time.After(100 * time.Millisecond)
		return ctx.Err()
	}}
	const jobs = 60 // three seconds' work for two at once
	if _, err := job.EnqueueMany(t.Context(), app, make([]greeting, jobs)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	first, err := worker.Drain(ctx, app, []queue.Declared{job}, worker.Options{Concurrency: 2})
	if err != nil || ctx.Err() != nil {
		t.Fatalf("%v; the context: %v", err, ctx.Err())
	}
	if first.Jobs == 0 || first.Pending == 0 || first.Jobs+first.Pending != jobs || int(first.Jobs) != len(ran) {
		t.Errorf("first %+v, %d ran", first, len(ran))
	}
	again, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	second, err := worker.Drain(again, app, []queue.Declared{job}, worker.Options{Concurrency: 10})
	if err != nil || second.Pending != 0 || second.Jobs != first.Pending {
		t.Errorf("then %+v, %v", second, err)
	}
	for id, n := range ran {
		if n != 1 {
			t.Errorf("%s ran %d times", id, n)
		}
	}
	if len(ran) != jobs {
		t.Errorf("%d ran", len(ran))
	}
}

func TestJobThatOutlastsTheWorkerRunsAgain(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	job, _, _ := gate() // it only ends with its context
	info := enqueue(t, app, job, greeting{}, queue.Retries(0))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := worker.Drain(ctx, app, []queue.Declared{job}, worker.Options{}); err != nil || ctx.Err() != nil {
		t.Fatalf("%v; the context: %v", err, ctx.Err())
	}
	task, err := inspect(t, app).GetTaskInfo(info.Queue, info.ID)
	if err != nil || task.State.String() != "retry" || task.Retried != 0 || time.Until(task.NextProcessAt) > 0 {
		t.Errorf("got %+v, %v; want one to run at once, without a failure", task, err)
	}
}

func TestDrainNeedsTime(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	short, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	for says, ctx := range map[string]context.Context{"no deadline": t.Context(), "are the least": short} {
		if _, err := worker.Drain(ctx, app, nil, worker.Options{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want an error with %q", err, says)
		}
	}
}
