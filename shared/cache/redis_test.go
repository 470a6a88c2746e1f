package cache_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/apptest/loopback"
	"github.com/tandem-api/tandem/shared/cache"
	"github.com/tandem-api/tandem/shared/config"
)

func TestWithoutRedisEveryRequestIsAnswered(t *testing.T) {
	for name, ill := range map[string]struct {
		url  string
		make func(*miniredis.Miniredis)
	}{
		"it is down":       {url: "redis://127.0.0.1:1"},
		"it hangs":         {url: "redis://" + loopback.Hung(t)},
		"its URL is wrong": {url: "redis://%zz"},
		"it refuses":       {make: func(m *miniredis.Miniredis) { m.SetError("LOADING Redis is loading the dataset in memory") }},
		"it is full":       {make: func(m *miniredis.Miniredis) { m.Server().SetPreHook(refuseWrites) }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, cache.Options{}, counting(), func(c *config.Config) {
				if ill.url != "" {
					c.RedisURL = config.Secret(ill.url)
				}
			})
			if ill.make != nil {
				ill.make(s.Redis)
			}
			want(t, s.get(t, "/baz"), 200, "MISS", "1")
			want(t, s.get(t, "/baz"), 200, "MISS", "2")
			want(t, s.get(t, "/baz?a=b"), 200, "MISS", "3")
			if s.reported() != "cache.Unavailable" || s.logged("answering without the cache") == 0 {
				t.Errorf("reports %q, want one; %d log lines", s.reported(), s.logged("answering without the cache"))
			}
		})
	}
}

// A Redis that hangs costs one request a second its quarter of one: the others find
// it paused. Each that tried has logged so.
func TestARedisThatHangsIsLeftAlone(t *testing.T) {
	s := newSite(t, cache.Options{}, func(w http.ResponseWriter, _ *http.Request) error {
		_, err := io.WriteString(w, "made")
		return err
	}, withRedis("redis://"+loopback.Hung(t)))
	start := time.Now()
	tried := func() int { return s.logged("answering without the cache") }
	s.get(t, "/baz")
	if tried() != 1 {
		t.Fatalf("the first request tried Redis %d times, want once", tried())
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
	s := newSite(t, cache.Options{}, counting())
	want(t, s.get(t, "/baz"), 200, "MISS", "1")
	s.Redis.Close()
	if g := s.get(t, "/baz"); g.status != 200 || g.cache != "MISS" {
		t.Errorf("down: %d %s", g.status, g.cache)
	}
	if err := s.Redis.Restart(); err != nil {
		t.Fatal(err)
	}
	apptest.Eventually(t, "Redis is in use again", func() bool { return s.get(t, "/baz").cache == "HIT" })
	for range 5 {
		if g := s.get(t, "/baz"); g.cache != "HIT" {
			t.Errorf("back: %s, want HIT each time", g.cache)
		}
	}
}

func TestARedisThatIsNotConfiguredIsToldOnce(t *testing.T) {
	s := newSite(t, cache.Options{}, counting(), withRedis(""))
	for range 3 {
		if g := s.get(t, "/baz"); g.status != 200 || g.cache != "MISS" {
			t.Errorf("%d %s", g.status, g.cache)
		}
	}
	if got := s.logged("REDIS_URL is not set"); got != 1 || s.reported() != "" {
		t.Errorf("told %d times, reports %q; want once and none", got, s.reported())
	}
}

// The handler's time is not Redis's: an answer made with the last of it is kept.
func TestAnAnswerAtTheDeadlineIsKept(t *testing.T) {
	app := apptest.New(t)
	handler := app.Handle(cache.Route(app.App, cache.Options{}, func(_ http.ResponseWriter, r *http.Request) error {
		<-r.Context().Done()
		return nil
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	handler(discard{}, newRequest(ctx, t))
	if len(app.Redis.Keys()) != 1 || len(app.Reports()) != 0 {
		t.Errorf("keys %q, reports %v", app.Redis.Keys(), app.Reports())
	}
}

func newRequest(ctx context.Context, t testing.TB) *http.Request {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "/baz?a=b", nil)
	if err != nil {
		t.Fatal(err)
	}
	return request
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

func BenchmarkHit(b *testing.B)  { benchmark(b, func(*miniredis.Miniredis) {}) }
func BenchmarkMiss(b *testing.B) { benchmark(b, (*miniredis.Miniredis).FlushAll) }

func benchmark(b *testing.B, after func(*miniredis.Miniredis)) {
	app := apptest.New(b)
	handler := app.Handle(cache.Route(app.App, cache.Options{}, func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "application/json")
		_, err := io.WriteString(w, `{"fact":"Cats have 32 muscles in each ear.","source":"catfacts"}`)
		return err
	}))
	request := newRequest(b.Context(), b)
	b.ReportAllocs()
	for b.Loop() {
		handler(discard{}, request)
		after(app.Redis)
	}
}

// refuseWrites answers as a Redis that has reached its maxmemory.
func refuseWrites(c *server.Peer, command string, _ ...string) bool {
	if command == "SET" {
		c.WriteError("OOM command not allowed when used memory > 'maxmemory'.")
	}
	return command == "SET"
}
