package worker_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/logging"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/worker"
	"github.com/tandem-api/tandem/shared/redisdb"
)

type greeting struct {
	Name string `json:"name"`
}

// newApp returns an App on a Redis of its own.
func newApp(t *testing.T) *function.App {
	t.Helper()
	return newAppOn(t, apptest.Redis(t).Addr())
}

func newAppOn(t *testing.T, redis string) *function.App {
	t.Helper()
	app := function.New(config.Config{RedisURL: config.Secret("redis://" + redis)}, io.Discard)
	t.Cleanup(func() {
		if err := app.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return app
}

// inspect returns asynq's view of the App's queues.
func inspect(t *testing.T, app *function.App) *asynq.Inspector {
	t.Helper()
	c, err := redisdb.Of(app)
	if err != nil {
		t.Fatal(err)
	}
	return asynq.NewInspectorFromRedisClient(c)
}

// drain does what waits in the queues.
func drain(t *testing.T, app *function.App, jobs ...queue.Declared) {
	t.Helper()
	if err := worker.Run(t.Context(), app, jobs, worker.Options{Burst: true}); err != nil {
		t.Fatal(err)
	}
}

func TestJobGetsItsArgumentsAndContext(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	type seen struct {
		args                greeting
		job, trace, attempt string
	}
	got := make(chan seen, 1)
	job := queue.Job[greeting]{Kind: "greet", Do: func(ctx context.Context, _ *function.App, args greeting) error {
		got <- seen{args, logging.Value(ctx, "job"), logging.Value(ctx, logging.TraceID), logging.Value(ctx, "attempt")}
		return nil
	}}
	ctx := function.WithRequest(t.Context(), "r1", "t1")
	if _, err := job.Enqueue(ctx, app, greeting{"Ann"}); err != nil {
		t.Fatal(err)
	}
	drain(t, app, job)
	if s, want := <-got, (seen{greeting{"Ann"}, "greet", "t1", "1"}); s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	boom := func(context.Context, *function.App, greeting) error { return errors.New("boom") }
	tests := []struct {
		name    string
		kind    string
		payload string
		do      func(context.Context, *function.App, greeting) error
		options []queue.Option
		state   asynq.TaskState
		says    string
	}{
		{"a failure is tried again", "greet", `{}`, boom, nil, asynq.TaskStateRetry, "boom"},
		{"the last failure is archived", "greet", `{}`, boom, []queue.Option{queue.Retries(0)}, asynq.TaskStateArchived, "boom"},
		{"a panic is a failure", "greet", `{}`,
			func(context.Context, *function.App, greeting) error { panic("oops") }, nil, asynq.TaskStateRetry, "panic: oops"},
		{"an unreadable payload is archived at once", "greet", `{"name":1}`, boom, nil, asynq.TaskStateArchived, "unreadable"},
		{"a payload and a half is unreadable", "greet", `{} {}`, boom, nil, asynq.TaskStateArchived, "unreadable"},
		{"an unknown kind is tried again", "greeting", `{}`, boom, nil, asynq.TaskStateRetry, "no job of the kind"},
		{"a job past its time-out is tried again", "greet", `{}`,
			func(ctx context.Context, _ *function.App, _ greeting) error { <-ctx.Done(); return ctx.Err() },
			[]queue.Option{queue.Timeout(time.Second)}, asynq.TaskStateRetry, "deadline"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t)
			job := queue.Job[greeting]{Kind: "greet", Do: tt.do}
			d, err := job.Definition()
			if err != nil {
				t.Fatal(err)
			}
			d.Kind = tt.kind
			info, err := d.Enqueue(t.Context(), app, []byte(tt.payload), tt.options...)
			if err != nil {
				t.Fatal(err)
			}
			drain(t, app, job)
			task, err := inspect(t, app).GetTaskInfo(info.Queue, info.ID)
			if err != nil {
				t.Fatal(err)
			}
			if task.State != tt.state || !strings.Contains(task.LastErr, tt.says) {
				t.Errorf("it is %s with the error %q, want %s with %q", task.State, task.LastErr, tt.state, tt.says)
			}
		})
	}
}

func TestRunSaysAtOnceWhatIsWrong(t *testing.T) {
	t.Parallel()
	job := queue.Job[greeting]{Kind: "greet", Do: func(context.Context, *function.App, greeting) error { return nil }}
	tests := []struct {
		name string
		url  config.Secret
		jobs []queue.Declared
		o    worker.Options
		says string
	}{
		{"no Redis is configured", "", []queue.Declared{job}, worker.Options{}, "REDIS_URL"},
		{"nobody listens", "redis://127.0.0.1:1", []queue.Declared{job}, worker.Options{}, "Redis does not answer"},
		{"a kind stands twice", "redis://127.0.0.1:1", []queue.Declared{job, job}, worker.Options{}, "two jobs have the kind \"greet\""},
		{"a job does nothing", "redis://127.0.0.1:1", []queue.Declared{queue.Job[greeting]{Kind: "idle"}}, worker.Options{}, "Do is not set"},
		{"a queue weighs nothing", "redis://127.0.0.1:1", nil, worker.Options{Queues: map[string]int{"low": 0}}, "weight"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app := function.New(config.Config{RedisURL: tt.url}, io.Discard)
			err := worker.Run(t.Context(), app, tt.jobs, tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want an error with %q", err, tt.says)
			}
		})
	}
}
