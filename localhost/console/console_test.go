package console_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/tandem-api/tandem/localhost/console"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

// settings returns settings with a Redis at that address.
func settings(redisAddr string) config.Config {
	return config.Config{
		Addr:        "127.0.0.1:5000",
		RedisURL:    config.Secret("redis://" + redisAddr + "/0"),
		Environment: "test",
		LogFormat:   "text",
	}
}

// newHandler returns the console as the local host has it.
func newHandler(t *testing.T, c config.Config, o console.Options) http.Handler {
	t.Helper()
	app := function.New(c, t.Output())
	h, err := console.New(app, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Close(t.Context()) })
	return h
}

// serve starts the console on a loopback port, beside a Redis in this process.
func serve(t *testing.T, o console.Options) (url string, m *miniredis.Miniredis) {
	t.Helper()
	m = apptest.Redis(t)
	s := httptest.NewServer(newHandler(t, settings(m.Addr()), o))
	t.Cleanup(s.Close)
	return s.URL, m
}

// answer is what came back for a request.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) contentType() string { return a.header.Get("Content-Type") }

// call sends a request over the wire.
func call(t *testing.T, method, url string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return do(t, r)
}

// do sends a request that is more than a method and a path.
func do(t *testing.T, r *http.Request) answer {
	t.Helper()
	// Longer than the longest wait for a Redis that hangs. Redirects are not followed.
	client := http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body)}
}

// wantProblem checks that the answer is a problem document of that status.
func wantProblem(t *testing.T, a answer, status int) {
	t.Helper()
	var doc struct {
		Status    int
		RequestID string
	}
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil {
		t.Errorf("the body is no JSON: %v\n%s", err, a.body)
	}
	if a.status != status || doc.Status != status || doc.RequestID == "" || a.contentType() != "application/problem+json" {
		t.Errorf("got %d %s %s, want a problem document of status %d with the request's id",
			a.status, a.contentType(), a.body, status)
	}
}

func TestPaths(t *testing.T) {
	url, _ := serve(t, console.Options{Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "jobs_total 1\n")
	})})
	for _, c := range []struct {
		name, method, path string
		status             int
		contentType        string
		location           string
	}{
		{"the overview", "GET", "/internal/", 200, "text/html; charset=utf-8", ""},
		{"the overview's head", "HEAD", "/internal/", 200, "text/html; charset=utf-8", ""},
		{"without its slash", "GET", "/internal", 302, "text/html; charset=utf-8", "/internal/"},
		{"the style sheet", "GET", "/internal/static/console.css", 200, "text/css; charset=utf-8", ""},
		{"the sign", "GET", "/internal/static/tandem.svg", 200, "image/svg+xml", ""},
		{"no such file", "GET", "/internal/static/nothing.css", 404, "application/problem+json", ""},
		{"a way up", "GET", "/internal/static/..%2Ftemplates%2Flayout.html", 404, "application/problem+json", ""},
		{"the dashboard", "GET", "/internal/asynq", 200, "text/html; charset=utf-8", ""},
		{"the dashboard's head", "HEAD", "/internal/asynq", 200, "text/html; charset=utf-8", ""},
		{"a view of the dashboard", "GET", "/internal/asynq/queues/v1.default", 200, "text/html; charset=utf-8", ""},
		{"a post to a view", "POST", "/internal/asynq/", 404, "application/problem+json", ""},
		{"the older name of the dashboard", "GET", "/internal/rq", 302, "text/html; charset=utf-8", "/internal/asynq"},
		{"a page under it", "GET", "/internal/rq/queues/default", 302, "text/html; charset=utf-8", "/internal/asynq"},
		{"the metrics", "GET", "/internal/metrics", 200, "text/plain; charset=utf-8", ""},
		{"no such page", "GET", "/internal/nothing", 404, "application/problem+json", ""},
		{"no such method", "DELETE", "/internal/", 404, "application/problem+json", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := call(t, c.method, url+c.path)
			if a.status != c.status || a.contentType() != c.contentType || a.header.Get("Location") != c.location {
				t.Errorf("got %d %q %q, want %d %q %q", a.status, a.contentType(), a.header.Get("Location"),
					c.status, c.contentType, c.location)
			}
			if c.status == http.StatusNotFound {
				wantProblem(t, a, c.status)
			}
			wantSecurityHeaders(t, a)
		})
	}
	t.Run("no metrics where there are none", func(t *testing.T) {
		url, _ := serve(t, console.Options{})
		wantProblem(t, call(t, "GET", url+"/internal/metrics"), http.StatusNotFound)
	})
}

func wantSecurityHeaders(t *testing.T, a answer) {
	t.Helper()
	for name, want := range map[string]string{
		"Cache-Control":                "no-store",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	policy := a.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("Content-Security-Policy %q lacks %q", policy, want)
		}
	}
}

func TestNewNamesTheWrongSetting(t *testing.T) {
	for _, c := range []struct {
		name string
		url  config.Secret
	}{
		{"no Redis", ""},
		{"an unreadable address", "redis://127.0.0.1:notaport/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := function.New(config.Config{LogFormat: "text", RedisURL: c.url}, t.Output())
			_, err := console.New(app, console.Options{})
			if err == nil || !strings.Contains(err.Error(), "REDIS_URL") {
				t.Errorf("got %v, want an error that names REDIS_URL", err)
			}
		})
	}
}

// Building the console asks nothing of Redis, so that the local host starts without it.
func TestNewWithoutRedis(t *testing.T) {
	newHandler(t, settings("127.0.0.1:1"), console.Options{})
}
