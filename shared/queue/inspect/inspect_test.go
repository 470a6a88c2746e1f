package inspect_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/apptest/loopback"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/inspect"
	"github.com/tandem-api/tandem/shared/queue/worker"
)

type mail struct {
	To string `json:"to"`
}

// sendMail fails for "nobody", and says to whom it has sent.
var sendMail = queue.Job[mail]{Kind: "send_mail", Keep: time.Hour, Do: func(ctx context.Context, _ *function.App, args mail) error {
	if args.To == "nobody" {
		return errors.New("nobody is there")
	}
	return queue.SetResult(ctx, "sent to "+args.To)
}}

func setUp(t *testing.T) (*function.App, *inspect.Inspector) {
	t.Helper()
	return setUpOn(t, "redis://"+apptest.Redis(t).Addr())
}

func setUpOn(t *testing.T, url string) (*function.App, *inspect.Inspector) {
	t.Helper()
	app := function.New(config.Config{RedisURL: config.Secret(url)}, io.Discard)
	t.Cleanup(func() { _ = app.Close(context.Background()) })
	i, err := inspect.Of(app)
	if err != nil {
		t.Fatal(err)
	}
	return app, i
}

func enqueue(t *testing.T, app *function.App, to string, opts ...queue.Option) string {
	t.Helper()
	info, err := sendMail.Enqueue(function.WithRequest(t.Context(), "r1", "t1"), app, mail{to}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return info.ID
}

func drain(t *testing.T, app *function.App) {
	t.Helper()
	if err := worker.Run(t.Context(), app, []queue.Declared{sendMail}, worker.Options{Burst: true}); err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	tests := []struct {
		name    string
		to      string
		options []queue.Option
		run     bool
		want    func(j inspect.Job) bool
	}{
		{"pending", "ann", nil, false, func(j inspect.Job) bool {
			return j.State == "pending" && j.Attempts == 0 && j.Kind == "send_mail" && j.Queue == "default" &&
				string(j.Args) == `{"to":"ann"}` && j.TraceID == "t1" && time.Since(*j.EnqueuedAt) < time.Minute && j.RunAt == nil
		}},
		{"scheduled", "ann", []queue.Option{queue.In(time.Hour), queue.To(queue.Low)}, false, func(j inspect.Job) bool {
			return j.State == "scheduled" && j.Queue == "low" && time.Until(*j.RunAt) > 50*time.Minute
		}},
		{"completed", "ann", []queue.Option{queue.Retries(2)}, true, func(j inspect.Job) bool {
			return j.State == "completed" && j.Attempts == 1 && j.MaxAttempts == 3 && string(j.Result) == `"sent to ann"` && j.CompletedAt != nil
		}},
		{"to be tried again", "nobody", nil, true, func(j inspect.Job) bool {
			return j.State == "retry" && j.Attempts == 1 && j.Error == "nobody is there" && j.FailedAt != nil && j.RunAt != nil
		}},
		{"failed for good", "nobody", []queue.Option{queue.Retries(0)}, true, func(j inspect.Job) bool {
			return j.State == "archived" && j.Attempts == 1 && j.MaxAttempts == 1 && j.Error == "nobody is there"
		}},
		{"with children", "ann", []queue.Option{queue.ID("p"), queue.Then(sendMail.With(mail{"bob"})), queue.OrElse(sendMail.With(mail{"eve"}))}, true,
			func(j inspect.Job) bool {
				return slices.Equal(j.Children, []inspect.Relative{
					{ID: "p.1", Kind: "send_mail", On: "success", State: "completed"}, {ID: "p.2", Kind: "send_mail", On: "failure"},
				})
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app, i := setUp(t)
			id := enqueue(t, app, tt.to, tt.options...)
			if tt.run {
				drain(t, app)
			}
			j, err := i.Find(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if j.ID != id || !tt.want(j) {
				text, _ := json.Marshal(j)
				t.Errorf("got %s", text)
			}
		})
	}
}

// While it waits it says why. It has not failed, so nothing of it is left afterwards.
func TestAJobThatWasPutOff(t *testing.T) {
	app, i := setUp(t)
	var why error
	job := queue.Job[mail]{Kind: "send_mail", Keep: time.Hour, Do: func(context.Context, *function.App, mail) error { return why }}
	info, err := job.Enqueue(t.Context(), app, mail{})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		why         error
		state, says string
		failed      bool
	}{
		{fmt.Errorf("the post office is closed: %w", queue.Snooze(time.Hour)), "retry", "the post office is closed: snoozed for 1h0m0s", true},
		{nil, "completed", "", false},
	} {
		why = step.why
		if err := worker.Run(t.Context(), app, []queue.Declared{job}, worker.Options{Burst: true}); err != nil {
			t.Fatal(err)
		}
		j, err := i.Find(t.Context(), info.ID)
		if err != nil || j.State != step.state || j.Error != step.says || (j.FailedAt != nil) != step.failed {
			t.Errorf("got %+v, %v", j, err)
		}
		if step.why != nil {
			if err := i.Run(t.Context(), info.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestFindAChild(t *testing.T) {
	app, i := setUp(t)
	enqueue(t, app, "ann", queue.ID("p"), queue.Then(sendMail.With(mail{"bob"})))
	drain(t, app)
	j, err := i.Find(t.Context(), "p.1")
	if err != nil || j.Parent == nil || j.Parent.ID != "p" || j.TraceID != "t1" {
		t.Errorf("got %+v, %v", j, err)
	}
	if _, err := i.Find(t.Context(), "p.2"); !errors.Is(err, inspect.ErrNotFound) {
		t.Errorf("an unknown job: %v", err)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	app, i := setUp(t)
	var want []string
	for n := range 7 {
		want = append(want, enqueue(t, app, "ann", queue.ID(fmt.Sprintf("pending-%d", n))))
	}
	for n := range 5 {
		want = append(want, enqueue(t, app, "ann", queue.In(time.Hour), queue.ID(fmt.Sprintf("later-%d", n))))
	}
	for n := range 3 {
		want = append(want, enqueue(t, app, "ann", queue.To(queue.Low), queue.ID(fmt.Sprintf("low-%d", n))))
	}
	for _, limit := range []int{1, 2, 3, 4, 7, 15, 100} {
		var got []string
		f := inspect.Filter{Limit: limit}
		for {
			page, err := i.List(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if page.Next != "" && len(page.Jobs) != limit {
				t.Errorf("a page of %d has %d and is not the last", limit, len(page.Jobs))
			}
			for _, j := range page.Jobs {
				got = append(got, j.ID)
			}
			if f.Cursor = page.Next; f.Cursor == "" {
				break
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("in pages of %d: %v", limit, got)
		}
	}
	for filter, n := range map[inspect.Filter]int{
		{Limit: 100, Queue: "low"}: 3, {Limit: 100, State: "scheduled"}: 5, {Limit: 100, Queue: "low", State: "scheduled"}: 0, {Limit: 100, Queue: "none"}: 0,
	} {
		if page, err := i.List(t.Context(), filter); err != nil || len(page.Jobs) != n || page.Next != "" {
			t.Errorf("%+v: %d jobs, want %d; %v", filter, len(page.Jobs), n, err)
		}
	}
	page, err := i.List(t.Context(), inspect.Filter{Limit: 1, Queue: "low"})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]inspect.Filter{
		"no cursor at all": {Limit: 1, Cursor: "?"}, "no JSON": {Limit: 1, Cursor: "AAAA"}, "of another filter": {Limit: 1, Queue: "default", Cursor: page.Next},
	} {
		if _, err := i.List(t.Context(), f); !errors.Is(err, inspect.ErrCursor) || httperror.Status(err) == 503 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAct(t *testing.T) {
	t.Parallel()
	later, archived := queue.In(time.Hour), "archived"
	cancel := func(i *inspect.Inspector, id string) error {
		active, err := i.Cancel(context.Background(), id)
		if active {
			return errors.New("it is active")
		}
		return err
	}
	do := func(f func(*inspect.Inspector, context.Context, string) error) func(*inspect.Inspector, string) error {
		return func(i *inspect.Inspector, id string) error { return f(i, context.Background(), id) }
	}
	tests := []struct {
		name    string
		options []queue.Option
		act     func(*inspect.Inspector, string) error
		state   string // afterwards; "" for gone
		err     error
	}{
		{"cancel one that waits", nil, cancel, "", nil},
		{"cancel one for later", []queue.Option{later}, cancel, "", nil},
		{"run one for later", []queue.Option{later}, do((*inspect.Inspector).Run), "pending", nil},
		{"run one that waits", nil, do((*inspect.Inspector).Run), "pending", inspect.ErrState},
		{"archive one that waits", nil, do((*inspect.Inspector).Archive), archived, nil},
		{"archive one for later", []queue.Option{later}, do((*inspect.Inspector).Archive), archived, nil},
		{"delete one that waits", nil, do((*inspect.Inspector).Delete), "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app, i := setUp(t)
			id := enqueue(t, app, "ann", tt.options...)
			if err := tt.act(i, id); !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
			j, err := i.Find(t.Context(), id)
			if gone := errors.Is(err, inspect.ErrNotFound); gone != (tt.state == "") || j.State != tt.state {
				t.Errorf("it is %q, want %q; %v", j.State, tt.state, err)
			}
			if err := tt.act(i, "none"); !errors.Is(err, inspect.ErrNotFound) {
				t.Errorf("an unknown job: %v", err)
			}
		})
	}
}

func TestActOnAll(t *testing.T) {
	t.Parallel()
	app, i := setUp(t)
	for range 3 {
		enqueue(t, app, "ann")
		enqueue(t, app, "ann", queue.In(time.Hour))
	}
	enqueue(t, app, "ann", queue.To(queue.Low))
	all := func(act func(context.Context, string, string) (int, error), state string, want int) {
		t.Helper()
		if n, err := act(t.Context(), queue.Default, state); err != nil || n != want {
			t.Errorf("%s: %d, %v; want %d", state, n, err, want)
		}
	}
	all(i.ArchiveAll, "pending", 3)
	all(i.RunAll, "archived", 3)
	all(i.DeleteAll, "pending", 3)
	all(i.RunAll, "scheduled", 3)
	all(i.DeleteAll, "pending", 3)
	if page, err := i.List(t.Context(), inspect.Filter{Limit: 10}); err != nil || len(page.Jobs) != 1 || page.Jobs[0].Queue != "low" {
		t.Errorf("left are %+v, %v", page.Jobs, err)
	}
	for name, act := range map[string]func(context.Context, string, string) (int, error){"run": i.RunAll, "archive": i.ArchiveAll, "delete": i.DeleteAll} {
		if _, err := act(t.Context(), queue.Default, "active"); !errors.Is(err, inspect.ErrState) {
			t.Errorf("%s all that are active: %v", name, err)
		}
	}
}

func TestPauseAndStats(t *testing.T) {
	app, i := setUp(t)
	enqueue(t, app, "ann")
	for range 2 { // twice is once
		if err := i.Pause(t.Context(), queue.Default); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.Pause(t.Context(), queue.Critical); err != nil {
		t.Errorf("a queue that no job has been in: %v", err)
	}
	s, err := i.Stats(t.Context())
	if err != nil || len(s.Queues) != 1 || !s.Queues[0].Paused || s.Queues[0].Pending != 1 || s.Queues[0].Name != "default" {
		t.Errorf("got %+v, %v", s, err)
	}
	for range 2 {
		if err := i.Resume(t.Context(), queue.Default); err != nil {
			t.Fatal(err)
		}
	}
	drain(t, app)
	if s, err = i.Stats(t.Context()); err != nil || s.Queues[0].Completed != 1 || s.Queues[0].Processed != 1 {
		t.Errorf("got %+v, %v", s, err)
	}
	if err := i.Pause(t.Context(), "none"); !errors.Is(err, inspect.ErrNotFound) {
		t.Errorf("an unknown queue: %v", err)
	}
}

func TestWithoutRedis(t *testing.T) {
	hung := loopback.Hung(t)
	for name, addr := range map[string]string{"it hangs": hung, "it is down": "127.0.0.1:1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, i := setUpOn(t, "redis://"+addr)
			if _, err := i.Find(t.Context(), "x"); httperror.Status(err) != 503 || !strings.Contains(err.Error(), "does not answer") {
				t.Errorf("got %v", err)
			}
		})
	}
}
