package lambda_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/shared/apptest"
)

// hold runs an event that is in work when hold returns, until let is called. Its
// process id comes out of done.
func hold(t *testing.T, p *lambda.Pool) (let func(), done <-chan string) {
	t.Helper()
	dir := t.TempDir()
	at, until := filepath.Join(dir, "at"), filepath.Join(dir, "until")
	result := make(chan string, 1)
	go func() {
		r, err := p.Invoke(context.Background(), lambda.Invocation{
			Payload: fmt.Appendf(nil, `{"do":"wait","file":%q,"unless":%q}`, at, until),
		})
		if err != nil || r.FunctionError != "" {
			result <- fmt.Sprint(string(r.Payload), err)
			return
		}
		result <- string(r.Payload)
	}()
	apptest.Eventually(t, "the event to be in work", func() bool { return exists(at) })
	return func() { touch(t, until) }, result
}

// running reports whether a process exists, and is not only waiting to be buried.
func running(pid int) bool { return syscall.Kill(pid, 0) == nil && stateOf(pid) != "Z" }

// stateOf is the letter that /proc has for a process's state.
func stateOf(pid int) string {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), ") ")
	state, _, _ := strings.Cut(rest, " ")
	return state
}

func TestAProcessServesOneEventAfterTheOther(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{})
	var first, next int
	answer(t, p, `{"do":"pid"}`, &first)
	for range 20 {
		// On a busy machine it may not be ready as soon as the next event comes.
		apptest.Eventually(t, "the process to be idle", func() bool { return p.Stats() == lambda.Stats{Idle: 1} })
		answer(t, p, `{"do":"pid"}`, &next)
		if next != first {
			t.Fatalf("process %d, then %d", first, next)
		}
	}
}

func TestEventsAtOnceHaveProcessesOfTheirOwn(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{Reserved: new(3)})
	pids := map[string]bool{}
	var lets []func()
	var dones []<-chan string
	for range 3 {
		let, done := hold(t, p)
		lets, dones = append(lets, let), append(dones, done)
	}
	if got := p.Stats(); got != (lambda.Stats{Busy: 3}) {
		t.Errorf("stats: %+v", got)
	}
	_, err := p.Invoke(t.Context(), lambda.Invocation{Payload: []byte(`{"do":"pid"}`)})
	if busy, ok := errors.AsType[*lambda.ThrottledError](err); !ok || busy.Limit != 3 || !busy.Reserved {
		t.Errorf("the fourth event: %v", err)
	}
	for i, let := range lets {
		let()
		pids[<-dones[i]] = true
	}
	if len(pids) != 3 {
		t.Errorf("processes: %v", pids)
	}
}

func TestTheDefaultLimitIsTen(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{Timeout: time.Minute})
	var lets []func()
	var dones []<-chan string
	for range lambda.DefaultConcurrency {
		let, done := hold(t, p)
		lets, dones = append(lets, let), append(dones, done)
	}
	if _, err := p.Invoke(t.Context(), lambda.Invocation{}); !throttled(err) {
		t.Errorf("one more: %v", err)
	}
	for i, let := range lets {
		let()
		<-dones[i]
	}
}

// As many clients as the limit, each with its next request as soon as it has its
// answer: a process that has answered but not yet asked for its next event is no
// reason to refuse one.
func TestNobodyIsThrottledBetweenAnswerAndNext(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{Reserved: new(4), Timeout: time.Minute})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if _, err := p.Invoke(t.Context(), lambda.Invocation{Payload: []byte(`{"do":"pid"}`)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if s := p.Stats(); s.Busy+s.Idle > 4 {
		t.Errorf("%+v", s)
	}
}

func TestTheProcessThatServedLastServesNext(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{})
	letA, doneA := hold(t, p)
	letB, doneB := hold(t, p)
	letA()
	a := <-doneA
	apptest.Eventually(t, "the first to be idle", func() bool { return p.Stats().Idle == 1 })
	letB()
	b := <-doneB
	apptest.Eventually(t, "both to be idle", func() bool { return p.Stats().Idle == 2 })
	for range 3 {
		if got := string(invoke(t, p, `{"do":"pid"}`).Payload); got != b {
			t.Errorf("process %s, not %s (the other is %s)", got, b, a)
		}
		apptest.Eventually(t, "both to be idle", func() bool { return p.Stats().Idle == 2 })
	}
}

func TestIdleProcessesEnd(t *testing.T) {
	h, _ := newHost(t, lambda.Options{IdleTimeout: 20 * time.Millisecond})
	p := newPool(t, h, lambda.Function{})
	var pid, next int
	answer(t, p, `{"do":"pid"}`, &pid)
	apptest.Eventually(t, "the idle process to end", func() bool { return p.Stats() == lambda.Stats{} && !running(pid) })
	answer(t, p, `{"do":"pid"}`, &next)
	if next == pid {
		t.Error("the same process again")
	}
}

func TestAnEventGoesOnWithoutItsCaller(t *testing.T) {
	h, l := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{Timeout: time.Minute})
	dir := t.TempDir()
	at, until := filepath.Join(dir, "at"), filepath.Join(dir, "until")
	ctx, cancel := context.WithCancelCause(t.Context())
	left := errors.New("the caller has left")
	returned := make(chan error, 1)
	go func() {
		_, err := p.Invoke(ctx, lambda.Invocation{
			RequestID: "left", Payload: fmt.Appendf(nil, `{"do":"wait","file":%q,"unless":%q}`, at, until),
		})
		returned <- err
	}()
	apptest.Eventually(t, "the event to be in work", func() bool { return exists(at) })
	cancel(left)
	if err := <-returned; !errors.Is(err, left) {
		t.Fatalf("%v", err)
	}
	if s := p.Stats(); s.Busy != 1 {
		t.Errorf("while it goes on: %+v", s)
	}
	touch(t, until)
	l.report(t, "left")
}

func TestReplace(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{Timeout: time.Minute, Env: map[string]string{"BUILD": "1"}})
	var idle int
	let, done := hold(t, p)
	answer(t, p, `{"do":"pid"}`, &idle)
	if err := p.Replace(lambda.Function{Name: "foo", Command: []string{bootstrap}, Timeout: time.Minute, Env: map[string]string{"BUILD": "2"}}); err != nil {
		t.Fatal(err)
	}
	var environ []string
	answer(t, p, `{"do":"environ"}`, &environ)
	if !slices.Contains(environ, "BUILD=2") {
		t.Errorf("the new process has %v", environ)
	}
	apptest.Eventually(t, "the old idle process to end", func() bool { return !running(idle) })
	let()
	var old int
	if _, err := fmt.Sscan(<-done, &old); err != nil {
		t.Fatalf("the event of before: %v", err)
	}
	apptest.Eventually(t, "the old busy process to end", func() bool { return !running(old) })
	if err := p.Replace(lambda.Function{}); err == nil {
		t.Error("replaced by nothing")
	}
}

func TestReplaceUnderLoadLosesNothing(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	f := lambda.Function{Name: "foo", Command: []string{bootstrap}, Timeout: time.Minute}
	p := newPool(t, h, f)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, err := p.Invoke(t.Context(), lambda.Invocation{Payload: []byte(`{"do":"pid"}`)})
				if err != nil || r.FunctionError != "" {
					t.Errorf("%s %v", r.Payload, err)
					return
				}
			}
		})
	}
	var pid, last int
	for range 10 {
		answer(t, p, `{"do":"pid"}`, &pid)
		if err := p.Replace(f); err != nil {
			t.Error(err)
		}
		answer(t, p, `{"do":"pid"}`, &last)
		if last == pid {
			t.Error("a process of before the replacement has served after it")
		}
	}
	close(stop)
	wg.Wait()
}
