package console_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/localhost/console"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/apptest/loopback"
)

func TestOverview(t *testing.T) {
	routes := []console.Route{
		{Method: "POST", Path: "/bar", Function: "bar"},
		{Method: "GET", Path: "/baz", Function: "baz"},
		{Method: "GET", Path: "/v{version}/foo", Function: "foo"},
	}
	metrics := http.NotFoundHandler()
	for _, c := range []struct {
		name       string
		options    console.Options
		supervised bool
		redis      func(t *testing.T, m *miniredis.Miniredis)
		want, not  []string
	}{
		{
			name: "what runs",
			options: console.Options{
				Version: "v1.2.3",
			},
			want: []string{"v1.2.3", ">test<", "127.0.0.1:5000", "connected", "No job has been enqueued yet", "No routes"},
			not:  []string{"embedded", "does not answer"},
		},
		{
			name:    "what is embedded",
			options: console.Options{EmbeddedRedis: true},
			want:    []string{"Redis is embedded", "end with it", "REDIS_URL"},
		},
		{
			name:    "the routes, with links to those that a click can reach",
			options: console.Options{Routes: routes},
			want: []string{`<a href="/baz"><code>/baz</code></a>`, `<code>/v{version}/foo</code>`, `<code>/bar</code>`,
				`<span class="method">POST</span>`, `<td>foo</td>`},
			not: []string{`href="/bar"`, `href="/v`},
		},
		{
			name: "the pages",
			want: []string{`href="/internal/asynq/"`, `href="/health"`},
			not:  []string{"/internal/metrics", "9001"},
		},
		{
			name:       "the pages that are not always there",
			options:    console.Options{Metrics: metrics, Links: []console.Link{{Title: "Mail", URL: "/internal/mail", About: "what was sent"}}},
			supervised: true,
			want:       []string{`href="/internal/metrics"`, `href="http://127.0.0.1:9001"`, `href="/internal/mail"`, "what was sent"},
		},
		{
			name: "jobs that nobody does",
			redis: func(t *testing.T, m *miniredis.Miniredis) {
				for range 3 {
					enqueue(t, m, asynq.Queue("low"))
				}
			},
			want: []string{"Jobs wait and no worker runs", `<a href="/internal/asynq/queues/low">low</a>`, `<td class="n">3</td>`},
		},
		{
			name:    "jobs that nobody does, in a Redis that only this process reaches",
			options: console.Options{EmbeddedRedis: true},
			redis:   func(t *testing.T, m *miniredis.Miniredis) { enqueue(t, m) },
			want:    []string{"Jobs wait and no worker runs", "<code>-workers</code>"},
			not:     []string{"<code>localhost worker</code>"},
		},
		{
			name: "jobs that wait for their time need no worker now",
			redis: func(t *testing.T, m *miniredis.Miniredis) {
				enqueue(t, m, asynq.ProcessIn(time.Hour))
			},
			want: []string{`<td class="n">1</td>`},
			not:  []string{"no worker runs"},
		},
		{
			name: "a paused queue",
			redis: func(t *testing.T, m *miniredis.Miniredis) {
				enqueue(t, m, asynq.Queue("low"))
				if err := inspector(t, m).PauseQueue("low"); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{`<span class="down">paused</span>`},
		},
		{
			name: "a worker elsewhere",
			redis: func(t *testing.T, m *miniredis.Miniredis) {
				startWorker(t, m, 7)
			},
			want: []string{"7 jobs at once", "one worker"},
			not:  []string{"in this process", "start one"},
		},
		{
			name:    "a worker here",
			options: console.Options{Workers: 7},
			redis: func(t *testing.T, m *miniredis.Miniredis) {
				startWorker(t, m, 7)
			},
			want: []string{"7 jobs at once", "one worker, in this process"},
		},
		{
			name: "a queue whose name is markup",
			redis: func(t *testing.T, m *miniredis.Miniredis) {
				enqueue(t, m, asynq.Queue("<script>alert(1)</script>"))
			},
			want: []string{"&lt;script&gt;"},
			not:  []string{"<script>"},
		},
		{
			name:    "Redis down",
			options: console.Options{Routes: routes, Workers: 10},
			redis:   func(_ *testing.T, m *miniredis.Miniredis) { m.Close() },
			want:    []string{"Redis does not answer", `<p class="none">Unknown.</p>`, "10 jobs at once here", `href="/baz"`},
		},
		{
			name: "Redis with an error for every question",
			redis: func(_ *testing.T, m *miniredis.Miniredis) {
				m.SetError("LOADING Redis is loading the dataset in memory")
			},
			want: []string{"Redis does not answer"},
		},
		{
			name:  "Redis with something else where the queues should be",
			redis: func(_ *testing.T, m *miniredis.Miniredis) { _ = m.Set("asynq:queues", "nonsense") },
			want:  []string{"The queues cannot be read"},
			not:   []string{"Redis does not answer", "WRONGTYPE"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := apptest.Redis(t)
			s := settings(m.Addr())
			s.Supervised = c.supervised
			if c.redis != nil {
				c.redis(t, m)
			}
			server := httptest.NewServer(newHandler(t, s, c.options))
			defer server.Close()
			a := call(t, "GET", server.URL+"/internal/")
			if a.status != http.StatusOK {
				t.Errorf("status %d", a.status)
			}
			for _, want := range c.want {
				if !strings.Contains(a.body, want) {
					t.Errorf("the page lacks %q", want)
				}
			}
			for _, not := range c.not {
				if strings.Contains(a.body, not) {
					t.Errorf("the page has %q", not)
				}
			}
			if t.Failed() {
				t.Log(a.body)
			}
		})
	}
}

// A Redis that takes connections and never answers holds up no page for long.
func TestHungRedis(t *testing.T) {
	server := httptest.NewServer(newHandler(t, settings(loopback.Hung(t)), console.Options{}))
	t.Cleanup(server.Close)
	for _, c := range []struct {
		name, method, path string
		status             int
		want               string
	}{
		{"the overview", "GET", "/internal/", 200, "Redis does not answer"},
		{"the dashboard", "GET", "/internal/asynq/", 503, "Redis does not answer"},
		{"the dashboard's data", "GET", "/internal/asynq/api/queues", 503, "does not answer"},
		{"an action", "POST", pauseQueue, 503, "does not answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := call(t, c.method, server.URL+c.path)
			if a.status != c.status || !strings.Contains(a.body, c.want) {
				t.Errorf("want %d with %q, got %d\n%s", c.status, c.want, a.status, a.body)
			}
		})
	}
}

func enqueue(t *testing.T, m *miniredis.Miniredis, options ...asynq.Option) *asynq.TaskInfo {
	t.Helper()
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: m.Addr()})
	defer client.Close()
	info, err := client.EnqueueContext(t.Context(), asynq.NewTask("slow_job", []byte(`{"seconds":2}`)), options...)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func inspector(t *testing.T, m *miniredis.Miniredis) *asynq.Inspector {
	i := asynq.NewInspector(asynq.RedisClientOpt{Addr: m.Addr()})
	t.Cleanup(func() { _ = i.Close() })
	return i
}

// startWorker starts a worker and waits until it has announced itself.
func startWorker(t *testing.T, m *miniredis.Miniredis, concurrency int) {
	t.Helper()
	s := asynq.NewServer(asynq.RedisClientOpt{Addr: m.Addr()}, asynq.Config{
		Concurrency: concurrency, LogLevel: asynq.FatalLevel, ShutdownTimeout: time.Millisecond,
	})
	if err := s.Start(asynq.NewServeMux()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	i := inspector(t, m)
	apptest.Eventually(t, "the worker is there", func() bool {
		servers, err := i.Servers()
		return err == nil && len(servers) == 1
	})
}
