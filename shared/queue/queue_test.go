package queue_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/apptest/loopback"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/redisdb"
)

type mail struct {
	To string `json:"to"`
}

func nothing(context.Context, *function.App, mail) error { return nil }

var sendMail = queue.Job[mail]{Kind: "send_mail", Do: nothing}

func newApp(t testing.TB, url string) *function.App {
	t.Helper()
	app := function.New(config.Config{RedisURL: config.Secret(url)}, io.Discard)
	t.Cleanup(func() { _ = app.Close(context.Background()) })
	return app
}

func embedded(t testing.TB) *function.App {
	t.Helper()
	return newApp(t, "redis://"+apptest.Redis(t).Addr())
}

func find(t *testing.T, app *function.App, info queue.Info) *asynq.TaskInfo {
	t.Helper()
	c, err := redisdb.Of(app)
	if err != nil {
		t.Fatal(err)
	}
	task, err := asynq.NewInspectorFromRedisClient(c).GetTaskInfo(info.Queue, info.ID)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func TestEnqueue(t *testing.T) {
	declared := queue.Job[mail]{Kind: "send_mail", Queue: queue.Low, Retries: 3, Timeout: time.Minute, Keep: time.Hour, Do: nothing}
	later := time.Now().Add(time.Hour).Truncate(time.Second)
	tests := []struct {
		name    string
		job     queue.Job[mail]
		options []queue.Option
		want    func(t *testing.T, task *asynq.TaskInfo) bool
	}{
		{"as by default", sendMail, nil, func(_ *testing.T, task *asynq.TaskInfo) bool {
			return task.Type == "send_mail" && string(task.Payload) == `{"to":"ann"}` && task.Queue == "default" &&
				task.State == asynq.TaskStatePending && task.Timeout == queue.DefaultTimeout+queue.TimeoutGrace && task.Retention == 0
		}},
		{"as declared", declared, nil, func(t *testing.T, task *asynq.TaskInfo) bool {
			return task.Queue == "low" && headerOf(t, task).Retries == 3 && task.Retention == time.Hour &&
				task.Timeout == time.Minute+queue.TimeoutGrace
		}},
		{"as asked", declared, []queue.Option{queue.To(queue.Critical), queue.ID("mine"), queue.Retries(0), queue.Timeout(2 * time.Second), queue.Keep(0)},
			func(t *testing.T, task *asynq.TaskInfo) bool {
				return task.Queue == "critical" && task.ID == "mine" && headerOf(t, task).Retries == 0 && task.Retention == 0 &&
					task.Timeout == 2*time.Second+queue.TimeoutGrace
			}},
		{"for somebody", sendMail, []queue.Option{queue.By("a&b=100%, ä+c")}, func(t *testing.T, task *asynq.TaskInfo) bool {
			return headerOf(t, task).By == "a&b=100%, ä+c" && time.Since(headerOf(t, task).EnqueuedAt) < time.Minute
		}},
		{"at a time", sendMail, []queue.Option{queue.At(later)}, func(_ *testing.T, task *asynq.TaskInfo) bool {
			return task.State == asynq.TaskStateScheduled && task.NextProcessAt.Equal(later)
		}},
		{"at a time that is past", sendMail, []queue.Option{queue.At(time.Now().Add(-time.Hour))}, func(_ *testing.T, task *asynq.TaskInfo) bool {
			return task.State == asynq.TaskStatePending
		}},
		{"after a delay", sendMail, []queue.Option{queue.In(time.Hour)}, func(_ *testing.T, task *asynq.TaskInfo) bool {
			return task.State == asynq.TaskStateScheduled && time.Until(task.NextProcessAt) > 59*time.Minute
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app := embedded(t)
			info, err := tt.job.Enqueue(t.Context(), app, mail{"ann"}, tt.options...)
			if err != nil {
				t.Fatal(err)
			}
			task := find(t, app, info)
			if !tt.want(t, task) {
				t.Errorf("got %+v", task)
			}
			if info.ID != task.ID || info.Queue != task.Queue || info.State != task.State.String() || info.Kind != "send_mail" {
				t.Errorf("told %+v", info)
			}
		})
	}
}

// What stood in Redis when a name was the owner is nobody's: the name may be another's.
func TestAJobOfANameIsNobodys(t *testing.T) {
	h, ours, err := queue.ReadHeader(map[string]string{"tandem": "retries=3&by=id%3A7"})
	if err != nil || !ours || h.By != "nobody" || h.Retries != 3 {
		t.Errorf("%+v, %t, %v", h, ours, err)
	}
}

func headerOf(t *testing.T, task *asynq.TaskInfo) queue.Header {
	t.Helper()
	h, ours, err := queue.ReadHeader(task.Headers)
	if err != nil || !ours {
		t.Fatalf("the headers %q: ours %t, %v", task.Headers, ours, err)
	}
	return h
}

func TestEnqueueRefuses(t *testing.T) {
	tests := []struct {
		name   string
		option queue.Option
		says   string
	}{
		{"an unknown queue", queue.To("lost"), `no queue "lost"`},
		{"an empty id", queue.ID(""), "id"},
		{"an id with a brace", queue.ID("{a}"), "id"},
		{"retries below none", queue.Retries(-1), "retries"},
		{"a time-out under a second", queue.Timeout(time.Millisecond), "time-out"},
		{"uniqueness under a second", queue.Unique(time.Millisecond), "uniqueness"},
		{"a step that is declared wrongly", queue.Then(queue.Job[mail]{Kind: "idle"}.With(mail{})), "Do is not set"},
		{"a step with an id", queue.Then(sendMail.With(mail{}, queue.ID("x"))), "do not fit a step"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sendMail.Enqueue(t.Context(), embedded(t), mail{}, tt.option)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want an error with %q", err, tt.says)
			}
		})
	}
}

func TestUniqueAndID(t *testing.T) {
	app := embedded(t)
	unique := queue.Job[mail]{Kind: "send_mail", Unique: time.Minute, Do: nothing}
	tests := []struct {
		name    string
		to      string
		options []queue.Option
		want    error
	}{
		{"the first", "ann", nil, nil},
		{"another like it", "ann", nil, queue.ErrDuplicate},
		{"one with other arguments", "bob", nil, nil},
		{"one in another queue", "ann", []queue.Option{queue.To(queue.Low)}, nil},
		{"one that may be twice", "ann", []queue.Option{queue.Unique(0), queue.ID("x")}, nil},
		{"one with the same id", "eve", []queue.Option{queue.ID("x")}, queue.ErrIDTaken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := unique.Enqueue(t.Context(), app, mail{tt.to}, tt.options...); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestDuplicateNamesTheOther(t *testing.T) {
	app := embedded(t)
	first, err := sendMail.Enqueue(t.Context(), app, mail{"ann"}, queue.Unique(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	_, err = sendMail.Enqueue(t.Context(), app, mail{"ann"}, queue.Unique(time.Minute))
	if d, ok := errors.AsType[*queue.DuplicateError](err); !ok || d.ID != first.ID {
		t.Errorf("got %v, want the id %s", err, first.ID)
	}
}

// asynq has a dead letter refuse another job like it until the time is up.
func TestADeadLetterRefusesNoOther(t *testing.T) {
	app := embedded(t)
	enqueue := func() (queue.Info, error) {
		return sendMail.Enqueue(t.Context(), app, mail{"ann"}, queue.Unique(time.Hour))
	}
	first, err := enqueue()
	if err != nil {
		t.Fatal(err)
	}
	c, err := redisdb.Of(app)
	if err != nil {
		t.Fatal(err)
	}
	i := asynq.NewInspectorFromRedisClient(c)
	if err := i.ArchiveTask(first.Queue, first.ID); err != nil {
		t.Fatal(err)
	}
	second, err := enqueue()
	if err != nil {
		t.Fatalf("with a dead letter: %v", err)
	}
	if _, err := enqueue(); !errors.Is(err, queue.ErrDuplicate) {
		t.Errorf("with one that waits: %v", err)
	}
	if err := i.DeleteTask(first.Queue, first.ID); err != nil {
		t.Fatal(err)
	}
	var d *queue.DuplicateError
	if _, err := enqueue(); !errors.As(err, &d) || d.ID != second.ID {
		t.Errorf("with one that waits, the dead letter being gone: %v", err)
	}
}

func TestEnqueueMany(t *testing.T) {
	app := embedded(t)
	all := make([]mail, 100)
	infos, err := sendMail.EnqueueMany(t.Context(), app, all, queue.In(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, info := range infos {
		ids[find(t, app, info).ID] = true
	}
	if len(ids) != len(all) {
		t.Errorf("%d jobs, want %d", len(ids), len(all))
	}
	if _, err := sendMail.EnqueueMany(t.Context(), app, all, queue.ID("one")); !errors.Is(err, queue.ErrIDTaken) {
		t.Errorf("one id for all: %v", err)
	}
}

func TestEnqueueWithoutRedis(t *testing.T) {
	hung := loopback.Hung(t)
	for name, url := range map[string]string{
		"it hangs": "redis://" + hung, "it is down": "redis://127.0.0.1:1", "it is not configured": "",
		"a hung sentinel": "redis-sentinel://" + hung + "/main", "a hung cluster": "redis-cluster://" + hung,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done := make(chan error, 1)
			go func() {
				_, err := sendMail.Enqueue(t.Context(), newApp(t, url), mail{})
				done <- err
			}()
			select {
			case err := <-done:
				e, ok := errors.AsType[*httperror.Error](err)
				if !ok || e.Status != http.StatusServiceUnavailable || e.Header.Get("Retry-After") == "" {
					t.Errorf("got %v, want a 503 that says when to try again", err)
				}
			case <-time.After(5 * queue.Patience): // far over it: the machine may be busy
				t.Error("it does not return")
			}
		})
	}
}

func TestEnqueueEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sendMail.Enqueue(ctx, embedded(t), mail{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestBackoff(t *testing.T) {
	b := queue.Backoff{First: time.Second, Factor: 3, Max: 20 * time.Second}
	for failures, most := range map[int]time.Duration{1: time.Second, 2: 3 * time.Second, 3: 9 * time.Second, 4: 20 * time.Second, 5000: 20 * time.Second} {
		for range 50 {
			if d := b.After(failures); d < most/2 || d > most {
				t.Errorf("after %d failures: %s, want %s to %s", failures, d, most/2, most)
			}
		}
	}
	if d := (queue.Backoff{}).After(1); d < 5*time.Second || d > 10*time.Second {
		t.Errorf("by default: %s", d)
	}
}

func TestHeaderThatIsNotOurs(t *testing.T) {
	if _, ours, err := queue.ReadHeader(nil); ours || err != nil {
		t.Errorf("none: %t, %v", ours, err)
	}
	for name, h := range map[string]map[string]string{
		"retries in words": {"tandem": "retries=many"}, "a time in words": {"tandem": "retries=1&at=now"}, "a trace cut off": {"tandem": "trace=%2"},
		"steps that are no JSON": {"tandem": "retries=1", "next": "{"}, "a parent that is no JSON": {"tandem": "retries=1", "parent": "?"},
	} {
		if _, _, err := queue.ReadHeader(h); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestResult(t *testing.T) {
	if err := queue.SetResult(t.Context(), 1); err == nil {
		t.Error("a result without a job is taken")
	}
	run := &queue.Run{}
	ctx := queue.WithRun(t.Context(), run)
	if err := queue.SetResult(ctx, strings.Repeat("x", queue.MaxResult)); err == nil {
		t.Error("a result over the limit is taken")
	}
	if err := queue.SetResult(ctx, make(chan int)); err == nil {
		t.Error("a channel is a result")
	}
	if err := queue.SetResult(ctx, []int{1}); err != nil || string(run.Result()) != "[1]" {
		t.Errorf("got %s, %v", run.Result(), err)
	}
}

func BenchmarkEnqueue(b *testing.B) {
	app := embedded(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sendMail.Enqueue(b.Context(), app, mail{"ann"}); err != nil {
			b.Fatal(err)
		}
	}
}
