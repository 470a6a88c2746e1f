package cache_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/cache"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
)

// together asks n times at once, and lets the handler go on when n-1 wait for the
// first. It returns the answers in any order.
func together(t *testing.T, n int, answer function.Handler) (*site, []got, int) {
	t.Helper()
	var calls atomic.Int64
	release := make(chan struct{})
	s := newSite(t, cache.Options{}, func(w http.ResponseWriter, r *http.Request) error {
		calls.Add(1)
		<-release
		return answer(w, r)
	})
	answers := make([]got, n)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = s.get(t, "/baz?a=b") })
	}
	apptest.Eventually(t, "the others wait", func() bool { return waiting() >= n-1 })
	close(release)
	all.Wait()
	return s, answers, int(calls.Load())
}

// waiting counts the requests that wait for the answer of another.
func waiting() int {
	var stacks strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&stacks, 2)
	return strings.Count(stacks.String(), "(*route).follow(")
}

func TestConcurrentMissesAreComputedOnce(t *testing.T) {
	s, answers, calls := together(t, 20, func(w http.ResponseWriter, _ *http.Request) error {
		_, err := io.WriteString(w, "made once")
		return err
	})
	if calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
	for _, g := range answers {
		want(t, g, 200, "MISS", "made once")
	}
	want(t, s.get(t, "/baz?a=b"), 200, "HIT", "made once")
}

func TestAPanicReachesEveryWaiterAndIsReportedOnce(t *testing.T) {
	s, answers, calls := together(t, 10, func(http.ResponseWriter, *http.Request) error { panic("the key is missing") })
	if calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
	for _, g := range answers {
		if g.err != nil || g.status != 500 || g.header.Get("Content-Type") != httperror.ContentType || strings.Contains(g.body, "key") {
			t.Errorf("answer %d %q, %v", g.status, g.body, g.err)
		}
	}
	if s.reported() != "panic" {
		t.Errorf("reports %q, want one", s.reported())
	}
	if again := s.get(t, "/baz?a=b"); again.status != 500 || s.reported() != "panic panic" {
		t.Errorf("the next request: %d, reports %q; want a new attempt", again.status, s.reported())
	}
}

func TestAnErrorReachesEveryWaiterAndIsReportedOnce(t *testing.T) {
	s, answers, calls := together(t, 10, func(http.ResponseWriter, *http.Request) error { return errors.New("oh") })
	if calls != 1 || s.reported() != "error" {
		t.Errorf("%d calls, reports %q, want one of each", calls, s.reported())
	}
	for _, g := range answers {
		if g.status != 500 || strings.Contains(g.body, "oh") {
			t.Errorf("answer %d %q", g.status, g.body)
		}
	}
}

func TestAClientsErrorReachesEveryWaiter(t *testing.T) {
	s, answers, calls := together(t, 10, func(http.ResponseWriter, *http.Request) error {
		return httperror.New(404, "no such fact").With("X-Why", "none")
	})
	if calls != 1 || s.reported() != "" {
		t.Errorf("%d calls, reports %q, want one and none", calls, s.reported())
	}
	for _, g := range answers {
		if g.status != 404 || !strings.Contains(g.body, "no such fact") || g.header.Get("X-Why") != "none" {
			t.Errorf("answer %d %q", g.status, g.body)
		}
	}
}

// Two clients at once must never get one's cookie.
func TestWhatIsForOneClientIsComputedForEach(t *testing.T) {
	var n atomic.Int64
	_, answers, calls := together(t, 10, func(w http.ResponseWriter, _ *http.Request) error {
		http.SetCookie(w, &http.Cookie{Name: "id", Value: string(rune('a' + n.Add(1)))})
		return nil
	})
	cookies := map[string]bool{}
	for _, g := range answers {
		cookies[g.header.Get("Set-Cookie")] = true
		want(t, g, 200, "MISS", "")
	}
	if calls != 10 || len(cookies) != 10 {
		t.Errorf("%d calls, %d cookies, want 10 of each", calls, len(cookies))
	}
}

func TestAnAnswerTooLargeIsComputedForEach(t *testing.T) {
	body := strings.Repeat("x", 1<<20+1)
	_, answers, calls := together(t, 3, func(w http.ResponseWriter, _ *http.Request) error {
		_, err := io.WriteString(w, body)
		return err
	})
	for _, g := range answers {
		if g.cache != "MISS" || g.body != body {
			t.Errorf("X-Cache %q, %d bytes", g.cache, len(g.body))
		}
	}
	if calls != 3 {
		t.Errorf("%d calls, want 3", calls)
	}
}

// The others need not wait for an answer that they cannot have.
func TestAnAnswerThatTurnsOutTooLargeIsWaitedForNoLonger(t *testing.T) {
	var calls atomic.Int64
	release := make(chan struct{})
	s := newSite(t, cache.Options{}, func(w http.ResponseWriter, _ *http.Request) error {
		if calls.Add(1) > 1 {
			_, err := io.WriteString(w, "small")
			return err
		}
		apptest.Eventually(t, "another waits", func() bool { return waiting() >= 1 })
		_, err := w.Write(make([]byte, 1<<20+1))
		<-release
		return err
	})
	leader := make(chan got, 1)
	go func() { leader <- s.get(t, "/baz") }()
	apptest.Eventually(t, "one leads", func() bool { return calls.Load() == 1 })
	want(t, s.get(t, "/baz"), 200, "MISS", "small")
	close(release)
	if g := <-leader; len(g.body) != 1<<20+1 {
		t.Errorf("the leader's client got %d bytes, %v", len(g.body), g.err)
	}
}

func TestTheLeadersClientMayLeave(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	left := make(chan error, 1)
	s := newSite(t, cache.Options{}, func(w http.ResponseWriter, r *http.Request) error {
		close(entered)
		<-release
		if _, bounded := r.Context().Deadline(); !bounded {
			t.Error("the handler's context has no deadline")
		}
		if err := r.Context().Err(); err != nil {
			return err
		}
		_, err := io.WriteString(w, "made all the same")
		return err
	})
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		request, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/baz", nil)
		left <- read(http.DefaultClient, request).err
	}()
	<-entered
	follower := make(chan got, 1)
	go func() { follower <- s.get(t, "/baz") }()
	apptest.Eventually(t, "another waits", func() bool { return waiting() >= 1 })
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Fatalf("the leader's client: %v", err)
	}
	close(release)
	want(t, <-follower, 200, "MISS", "made all the same")
	apptest.Eventually(t, "it is kept", func() bool { return s.get(t, "/baz").cache == "HIT" }) // the leader keeps it after it has shared it
	if s.reported() != "" {
		t.Errorf("reports %q, want none", s.reported())
	}
}

func TestAFollowersClientMayLeave(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s := newSite(t, cache.Options{}, func(http.ResponseWriter, *http.Request) error {
		close(entered)
		<-release
		return nil
	})
	leader := make(chan got, 1)
	go func() { leader <- s.get(t, "/baz") }()
	<-entered
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		request, _ := http.NewRequestWithContext(ctx, "GET", s.url+"/baz", nil)
		left <- read(http.DefaultClient, request).err
	}()
	apptest.Eventually(t, "another waits", func() bool { return waiting() >= 1 })
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Fatalf("the follower's client: %v", err)
	}
	apptest.Eventually(t, "it waits no more", func() bool { return waiting() == 0 })
	close(release)
	want(t, <-leader, 200, "MISS", "")
	if s.reported() != "" {
		t.Errorf("reports %q, want none", s.reported())
	}
}

func TestOtherKeysDoNotWait(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s := newSite(t, cache.Options{}, func(_ http.ResponseWriter, r *http.Request) error {
		if r.URL.Query().Has("slow") {
			close(entered)
			<-release
		}
		return nil
	})
	slow := make(chan got, 1)
	go func() { slow <- s.get(t, "/baz?slow") }()
	<-entered
	want(t, s.get(t, "/baz?quick"), 200, "MISS", "")
	close(release)
	want(t, <-slow, 200, "MISS", "")
}

// A flood of requests for few keys, with entries that expire all the while, gives
// each one an answer that someone has made for its key.
func TestManyAtOnce(t *testing.T) {
	s := newSite(t, cache.Options{TTL: 50 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.WriteString(w, r.URL.RawQuery)
		return err
	})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 50 {
				query := string(rune('a'+(i+j)%3)) + "="
				if g := s.get(t, "/baz?"+query); g.status != 200 || g.body != query {
					t.Errorf("asked %s: %d %q, %v", query, g.status, g.body, g.err)
				}
				s.Redis.FastForward(5 * time.Millisecond)
			}
		})
	}
	all.Wait()
}
