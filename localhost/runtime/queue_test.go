package lambda_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
)

// outcome is how an attempt ends.
type outcome string

const (
	good     outcome = "good"
	failed   outcome = "failed"
	throttle outcome = "throttled"
	closed   outcome = "closed"
)

// attempts is an Invoke with given outcomes, which remembers when it was called, in
// whole seconds, and with which request ids.
type attempts struct {
	begin    time.Time
	outcomes []outcome
	at       []int
	ids      []string
}

func (a *attempts) invoke(_ context.Context, inv lambda.Invocation) (lambda.Result, error) {
	a.at = append(a.at, int(time.Since(a.begin).Round(time.Second).Seconds()))
	a.ids = append(a.ids, inv.RequestID)
	switch a.outcomes[min(len(a.at), len(a.outcomes))-1] {
	case failed:
		return lambda.Result{FunctionError: "Unhandled", ErrorType: "Mine", Payload: []byte("{}")}, nil
	case throttle:
		return lambda.Result{}, &lambda.ThrottledError{Function: "foo"}
	case closed:
		return lambda.Result{}, lambda.ErrClosed
	default:
		return lambda.Result{}, nil
	}
}

func TestAsynchronousEventsAreTriedAgain(t *testing.T) {
	for _, tt := range []struct {
		name      string
		options   lambda.QueueOptions
		outcomes  []outcome
		at        []int // the seconds of the attempts; nil: not looked at
		abandoned int   // attempts of the event that was given up; -1: it was not
	}{
		{"a good one", lambda.QueueOptions{}, []outcome{good}, []int{0}, -1},
		{"a bad one, twice again, after 1 and 2 minutes", lambda.QueueOptions{}, []outcome{failed}, []int{0, 60, 180}, 3},
		{"good at last", lambda.QueueOptions{}, []outcome{failed, failed, good}, []int{0, 60, 180}, -1},
		{"no retries", lambda.QueueOptions{Retries: []time.Duration{}}, []outcome{failed}, []int{0}, 1},
		{"too old to be tried again", lambda.QueueOptions{MaxAge: 100 * time.Second}, []outcome{failed}, []int{0, 60}, 2},
		{"throttled attempts do not count", lambda.QueueOptions{}, []outcome{throttle, throttle, throttle, throttle, failed, failed, failed}, nil, 3},
		{"throttled for too long", lambda.QueueOptions{}, []outcome{throttle}, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				abandoned := -1
				tt.options.OnFailure = func(a lambda.Abandoned) {
					abandoned = a.Attempts
					if a.Function != "foo" || a.Err == nil || string(a.Invocation.Payload) != "{}" {
						t.Errorf("%+v", a)
					}
				}
				q := lambda.NewQueue(tt.options)
				a := &attempts{begin: time.Now(), outcomes: tt.outcomes}
				if err := q.Put("foo", a.invoke, lambda.Invocation{Payload: []byte("{}")}); err != nil {
					t.Fatal(err)
				}
				for q.Held() > 0 {
					<-time.After(time.Second) // of the bubble's own time
				}
				if tt.at != nil && !slices.Equal(a.at, tt.at) {
					t.Errorf("tried after %v s, not %v", a.at, tt.at)
				}
				if abandoned != tt.abandoned {
					t.Errorf("given up after %d attempts, not %d", abandoned, tt.abandoned)
				}
				if a.ids[0] == "" || len(slices.Compact(a.ids)) != 1 {
					t.Errorf("request ids %v", a.ids)
				}
				if tt.outcomes[0] == throttle && tt.abandoned == 0 && (a.at[1] > 1 || len(a.at) < 70 || len(a.at) > 160) {
					t.Errorf("throttled, it was tried %d times: %v", len(a.at), a.at)
				}
				if lost, err := q.Close(t.Context()); lost != 0 || err != nil {
					t.Error(lost, err)
				}
			})
		})
	}
}

// A function may want fewer attempts than the queue would make.
func TestAttemptsOfAFunction(t *testing.T) {
	for attemptsWanted, want := range map[int][]int{0: {0, 60, 180}, 1: {0}, 2: {0, 60}, 3: {0, 60, 180}, 9: {0, 60, 180}} {
		synctest.Test(t, func(t *testing.T) {
			a := &attempts{begin: time.Now(), outcomes: []outcome{failed}}
			q := lambda.NewQueue(lambda.QueueOptions{})
			if err := q.Put("foo", a.invoke, lambda.Invocation{Payload: []byte("{}"), Attempts: attemptsWanted}); err != nil {
				t.Fatal(err)
			}
			for q.Held() > 0 {
				<-time.After(time.Second) // of the bubble's own time
			}
			if !slices.Equal(a.at, want) {
				t.Errorf("%d wanted: attempts at %v; want %v", attemptsWanted, a.at, want)
			}
			if _, err := q.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := lambda.NewQueue(lambda.QueueOptions{Limit: 2})
		bad := &attempts{outcomes: []outcome{failed}}
		for range 2 {
			if err := q.Put("foo", bad.invoke, lambda.Invocation{}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if err := q.Put("foo", bad.invoke, lambda.Invocation{}); !errors.Is(err, lambda.ErrQueueFull) {
			t.Errorf("one more: %v", err)
		}
		err := q.Put("foo", bad.invoke, lambda.Invocation{Payload: make([]byte, lambda.MaxAsyncPayload+1)})
		if err == nil || err.Error() != "an event of 1048577 bytes: the limit is 1048576" {
			t.Errorf("a large one: %v", err)
		}
		if lost, err := q.Close(t.Context()); lost != 2 || err != nil {
			t.Error(lost, err)
		}
		if err := q.Put("foo", bad.invoke, lambda.Invocation{}); !errors.Is(err, lambda.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestClosingTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		told := 0
		q := lambda.NewQueue(lambda.QueueOptions{
			Log: slog.New(slog.NewTextHandler(&log, nil)), OnFailure: func(lambda.Abandoned) { told++ },
		})
		waits := &attempts{outcomes: []outcome{failed}}
		refused := &attempts{outcomes: []outcome{closed}}
		let := make(chan struct{})
		finished := false
		runs := func(context.Context, lambda.Invocation) (lambda.Result, error) {
			<-let
			finished = true
			return lambda.Result{}, nil
		}
		hangs := func(context.Context, lambda.Invocation) (lambda.Result, error) {
			<-time.After(time.Hour)
			return lambda.Result{}, nil
		}
		for _, invoke := range []lambda.Invoke{waits.invoke, refused.invoke, runs, hangs} {
			if err := q.Put("foo", invoke, lambda.Invocation{RequestID: "id"}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		time.AfterFunc(time.Second, func() { close(let) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		lost, err := q.Close(ctx)
		if lost != 3 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d lost, %v", lost, err)
		}
		if !finished || told != 0 {
			t.Errorf("the one that ran has finished: %v; told of %d", finished, told)
		}
		if n := strings.Count(log.String(), "is lost"); n != 2 {
			t.Errorf("the log tells of %d:\n%s", n, log.String())
		}
		<-time.After(time.Hour) // so that all have ended
	})
}
