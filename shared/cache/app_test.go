package cache_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/cache"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

// site is a function with one cached route, served over HTTP, with what it logged
// and reported.
type site struct {
	url     string
	log     *lines
	reports *lines // one line for the class of each report
	app     *function.App
}

// newSite serves the handler at /baz and below, with the cache in that Redis.
func newSite(t testing.TB, redisURL string, o cache.Options, h function.Handler) *site {
	t.Helper()
	s := &site{log: &lines{}, reports: &lines{}}
	honeybadger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var notice struct{ Error struct{ Class string } }
		_ = json.NewDecoder(r.Body).Decode(&notice)
		_, _ = io.WriteString(s.reports, notice.Error.Class+"\n")
		w.WriteHeader(http.StatusCreated)
	}))
	t.Cleanup(honeybadger.Close)
	s.app = function.New(config.Config{
		RedisURL: config.Secret(redisURL), HoneybadgerAPIKey: "hbp_test", HoneybadgerEndpoint: honeybadger.URL,
		Lambda: "as-on-lambda", // reports are sent before the answer
	}, s.log)
	handler, err := function.Function{Name: "baz", Routes: func(app *function.App, r chi.Router) error {
		cached := app.Handle(cache.Route(app, o, h))
		r.Handle("/baz", cached)
		r.Handle("/baz/*", cached)
		return nil
	}}.Handler(s.app)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	t.Cleanup(func() { _ = s.app.Close(t.Context()) })
	s.url = server.URL
	return s
}

func newRedis(t testing.TB) *miniredis.Miniredis {
	t.Helper()
	m := miniredis.NewMiniRedis()
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func urlOf(m *miniredis.Miniredis) string { return "redis://" + m.Addr() }

// got is an answer, read to its end.
type got struct {
	status int
	header http.Header
	body   string
	cache  string // X-Cache
	err    error
}

// ask sends a request, such as "GET /baz?a=b", with headers as pairs.
func (s *site) ask(t testing.TB, method, target string, headers ...string) got {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	// Without this, Go's client asks for gzip.
	client := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}, CheckRedirect: noRedirect}
	return read(client.Do(request))
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func read(answer *http.Response, err error) got {
	if err != nil {
		return got{err: err}
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return got{answer.StatusCode, answer.Header, string(body), answer.Header.Get("X-Cache"), err}
}

func (s *site) get(t testing.TB, target string, headers ...string) got {
	t.Helper()
	return s.ask(t, http.MethodGet, target, headers...)
}

func want(t testing.TB, g got, status int, state, body string) {
	t.Helper()
	if g.err != nil || g.status != status || g.cache != state || g.body != body {
		t.Errorf("answer %d %q %q, %v; want %d %q %q", g.status, g.cache, g.body, g.err, status, state, body)
	}
}

// lines is a writer to look at.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("no %s within 20 s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
