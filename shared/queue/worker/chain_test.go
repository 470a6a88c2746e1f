package worker_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/logging"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// seen is what a job of a chain finds.
type seen struct {
	name, trace, id     string
	parent, result, err string
}

func TestChain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		fail error
		want []seen
	}{
		{"after success", nil, []seen{
			{name: "first", trace: "t1", id: "p"},
			{name: "then", trace: "t1", id: "p.1", parent: "p", result: `{"n":1}`},
			{name: "and then", trace: "t1", id: "p.1.1", parent: "p.1"},
		}},
		{"after the last failure", errors.New("boom"), []seen{
			{name: "first", trace: "t1", id: "p"},
			{name: "or else", trace: "t1", id: "p.2", parent: "p", err: "boom"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t)
			var all []seen
			record := func(ctx context.Context, args greeting) {
				run, _ := queue.Running(ctx)
				s := seen{name: args.Name, trace: logging.Value(ctx, logging.TraceID), id: run.ID}
				if run.Parent != nil {
					s.parent, s.result, s.err = run.Parent.ID, string(run.Parent.Result), run.Parent.Error
				}
				all = append(all, s)
			}
			next := queue.Job[greeting]{Kind: "next", Do: func(ctx context.Context, _ *function.App, args greeting) error {
				record(ctx, args)
				return nil
			}}
			first := queue.Job[greeting]{Kind: "first", Do: func(ctx context.Context, _ *function.App, args greeting) error {
				record(ctx, args)
				if err := queue.SetResult(ctx, map[string]int{"n": 1}); err != nil {
					return err
				}
				return tt.fail
			}}
			ctx := function.WithRequest(t.Context(), "r1", "t1")
			_, err := first.Enqueue(ctx, app, greeting{"first"}, queue.ID("p"), queue.Retries(0),
				queue.Then(next.With(greeting{"then"}, queue.Then(next.With(greeting{"and then"})))),
				queue.OrElse(next.With(greeting{"or else"})))
			if err != nil {
				t.Fatal(err)
			}
			drain(t, app, first, next)
			if !slices.Equal(all, tt.want) {
				t.Errorf("got  %+v\nwant %+v", all, tt.want)
			}
		})
	}
}

func TestSnoozeCountsNothing(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	i := inspect(t, app)
	var attempts []int
	job := queue.Job[greeting]{Kind: "greet", Keep: time.Minute, Do: func(ctx context.Context, _ *function.App, _ greeting) error {
		run, _ := queue.Running(ctx)
		attempts = append(attempts, run.Attempt)
		if len(attempts) < 3 {
			return queue.Snooze(time.Hour)
		}
		return queue.SetResult(ctx, "done")
	}}
	info := enqueue(t, app, job, greeting{}, queue.Retries(0)) // so that a failure would be the last
	for range 3 {
		eventually(t, "the job may run", func() bool { return runnable(t, app, info) })
		drain(t, app, job)
	}
	if !slices.Equal(attempts, []int{1, 1, 1}) {
		t.Errorf("the attempts were %v", attempts)
	}
	task, err := i.GetTaskInfo(info.Queue, info.ID)
	if err != nil || string(task.Result) != `"done"` || task.State.String() != "completed" {
		t.Errorf("got %+v, %v", task, err)
	}
}

// runnable makes a job that was put off run now, and says whether it is there.
func runnable(t *testing.T, app *function.App, info queue.Info) bool {
	t.Helper()
	i := inspect(t, app)
	_ = i.RunTask(info.Queue, info.ID)
	return state(t, i, info) == "pending"
}

func TestSkipRetry(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	job := queue.Job[greeting]{Kind: "greet", Do: func(context.Context, *function.App, greeting) error {
		return errors.Join(errors.New("no such account"), queue.SkipRetry)
	}}
	info := enqueue(t, app, job, greeting{})
	drain(t, app, job)
	if s := state(t, inspect(t, app), info); s != "archived" {
		t.Errorf("it is %s", s)
	}
}

// A job whose worker dies each time must not run for ever, nor end in silence.
func TestJobWhoseLastWorkerDiedIsArchived(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	ran := false
	job := queue.Job[greeting]{Kind: "greet", Do: func(context.Context, *function.App, greeting) error {
		ran = true
		return nil
	}}
	info := enqueue(t, app, job, greeting{}, queue.Retries(0))
	// What asynq's recoverer writes for a job whose worker died.
	c, err := redisdb.Of(app)
	if err != nil {
		t.Fatal(err)
	}
	dead := asynq.NewServerFromRedisClient(c, asynq.Config{
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return time.Hour },
	})
	if err := dead.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error { return asynq.ErrLeaseExpired })); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the loss is found", func() bool { return state(t, inspect(t, app), info) == "retry" })
	dead.Shutdown()

	eventually(t, "the job may run", func() bool { return runnable(t, app, info) })
	drain(t, app, job)
	task, err := inspect(t, app).GetTaskInfo(info.Queue, info.ID)
	if err != nil || task.State.String() != "archived" || !strings.Contains(task.LastErr, "its worker died") || ran {
		t.Errorf("ran: %t; it is %+v, %v", ran, task, err)
	}
}
