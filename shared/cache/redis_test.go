package cache_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/tandem-api/tandem/shared/cache"
)

// hungRedis takes connections and never says a word.
func hungRedis(t *testing.T) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
	return "redis://" + l.Addr().String()
}

// closedRedis is an address where nobody listens.
func closedRedis(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	return "redis://" + l.Addr().String()
}

func TestWithoutRedisEveryRequestIsAnswered(t *testing.T) {
	refusing := newRedis(t)
	refusing.SetError("LOADING Redis is loading the dataset in memory")
	full := newRedis(t)
	for name, url := range map[string]string{
		"it is down": closedRedis(t), "it hangs": hungRedis(t), "it refuses": urlOf(refusing), "it is full": urlOf(full), "its URL is wrong": "redis://%zz",
	} {
		t.Run(name, func(t *testing.T) {
			if name == "it is full" {
				full.Server().SetPreHook(refuseWrites)
			}
			s := newSite(t, url, cache.Options{}, counting())
			want(t, s.get(t, "/baz"), 200, "MISS", "1")
			want(t, s.get(t, "/baz"), 200, "MISS", "2")
			want(t, s.get(t, "/baz?a=b"), 200, "MISS", "3")
			if s.reports.String() != "cache.Unavailable\n" {
				t.Errorf("reports %q, want one", s.reports)
			}
			if !strings.Contains(s.log.String(), "answering without the cache") {
				t.Errorf("the log does not tell: %s", s.log)
			}
		})
	}
}

// A Redis that hangs costs one request a second its quarter of one: the others find
// it paused. Each that tried has logged so.
func TestARedisThatHangsIsLeftAlone(t *testing.T) {
	s := newSite(t, hungRedis(t), cache.Options{}, func(w http.ResponseWriter, _ *http.Request) error {
		_, err := io.WriteString(w, "made")
		return err
	})
	start := time.Now()
	tried := func() int { return strings.Count(s.log.String(), "answering without the cache") }
	s.get(t, "/baz")
	if tried() != 1 {
		t.Fatalf("the first request: %s", s.log)
	}
	for burst := 0; tried() < 2; burst++ {
		var all sync.WaitGroup
		for i := range 10 {
			all.Go(func() { want(t, s.get(t, fmt.Sprintf("/baz/%d/%d", burst, i)), 200, "MISS", "made") })
		}
		all.Wait()
	}
	if allowed := int(time.Since(start)/time.Second) + 1; tried() > allowed {
		t.Errorf("%d requests tried Redis, want %d at most", tried(), allowed)
	}
}

func TestARedisThatComesBackIsUsed(t *testing.T) {
	m := newRedis(t)
	s := newSite(t, urlOf(m), cache.Options{}, counting())
	want(t, s.get(t, "/baz"), 200, "MISS", "1")
	m.Close()
	if g := s.get(t, "/baz"); g.status != 200 || g.cache != "MISS" {
		t.Errorf("down: %d %s", g.status, g.cache)
	}
	if err := m.Restart(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "hit", func() bool { return s.get(t, "/baz").cache == "HIT" })
	for range 5 {
		if g := s.get(t, "/baz"); g.cache != "HIT" {
			t.Errorf("back: %s, want HIT each time", g.cache)
		}
	}
}

func TestARedisThatIsNotConfiguredIsToldOnce(t *testing.T) {
	s := newSite(t, "", cache.Options{}, counting())
	for range 3 {
		if g := s.get(t, "/baz"); g.status != 200 || g.cache != "MISS" {
			t.Errorf("%d %s", g.status, g.cache)
		}
	}
	if got := strings.Count(s.log.String(), "REDIS_URL is not set"); got != 1 || s.reports.String() != "" {
		t.Errorf("told %d times, reports %q; want once and none", got, s.reports)
	}
}

// The handler's time is not Redis's: an answer made with the last of it is kept.
func TestAnAnswerAtTheDeadlineIsKept(t *testing.T) {
	m := newRedis(t)
	s := newSite(t, urlOf(m), cache.Options{}, counting())
	handler := s.app.Handle(cache.Route(s.app, cache.Options{}, func(w http.ResponseWriter, r *http.Request) error {
		<-r.Context().Done()
		return nil
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "GET", "/baz", nil)
	if err != nil {
		t.Fatal(err)
	}
	handler(discard{}, request)
	if len(m.Keys()) != 1 || s.reports.String() != "" {
		t.Errorf("keys %q, reports %q", m.Keys(), s.reports)
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

func BenchmarkHit(b *testing.B)  { benchmark(b, cache.Options{}) }
func BenchmarkMiss(b *testing.B) { benchmark(b, cache.Options{TTL: time.Millisecond}) }

func benchmark(b *testing.B, o cache.Options) {
	m := newRedis(b)
	s := newSite(b, urlOf(m), o, counting())
	handler := s.app.Handle(cache.Route(s.app, o, func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Type", "application/json")
		_, err := io.WriteString(w, `{"fact":"Cats have 32 muscles in each ear.","source":"catfacts"}`)
		return err
	}))
	request, _ := http.NewRequestWithContext(b.Context(), "GET", "/baz?a=b", nil)
	miss := o.TTL == time.Millisecond
	b.ReportAllocs()
	for b.Loop() {
		handler(discard{}, request)
		if miss {
			m.FastForward(time.Second)
		}
	}
}

// refuseWrites answers as a Redis that has reached its maxmemory.
func refuseWrites(c *server.Peer, command string, _ ...string) bool {
	if command == "SET" {
		c.WriteError("OOM command not allowed when used memory > 'maxmemory'.")
	}
	return command == "SET"
}
