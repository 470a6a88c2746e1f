package cache_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/cache"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

// site is a function with one cached route, served over HTTP.
type site struct {
	*apptest.App
	url string
}

// newSite serves the handler at /baz and below. The settings may be changed, such as
// REDIS_URL to a Redis that is not well.
func newSite(t testing.TB, o cache.Options, h function.Handler, change ...func(*config.Config)) *site {
	t.Helper()
	s := &site{App: apptest.New(t, change...)}
	s.url = s.Serve(function.Function{Name: "baz", Routes: func(app *function.App, r chi.Router) error {
		cached := app.Handle(cache.Route(app, o, h))
		r.Handle("/baz", cached)
		r.Handle("/baz/*", cached)
		return nil
	}})
	return s
}

func withRedis(url string) func(*config.Config) {
	return func(c *config.Config) { c.RedisURL = config.Secret(url) }
}

// reported returns the classes of the reports, joined.
func (s *site) reported() string {
	var classes []string
	for _, r := range s.Reports() {
		classes = append(classes, r.Error.Class)
	}
	return strings.Join(classes, " ")
}

// logged counts the lines with that text in their message.
func (s *site) logged(text string) int {
	n := 0
	for _, line := range s.Logs() {
		if message, _ := line["msg"].(string); strings.Contains(message, text) {
			n++
		}
	}
	return n
}

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
	return read(&client, request)
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func read(client *http.Client, request *http.Request) got {
	answer, err := client.Do(request)
	if err != nil {
		return got{err: err}
	}
	defer func() { _ = answer.Body.Close() }()
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
