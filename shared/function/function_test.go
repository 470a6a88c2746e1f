package function_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/logging"
)

// tested is a function with the routes GET /NAME.
func tested(handlers map[string]function.Handler) function.Function {
	return function.Function{Name: "tested", Routes: func(app *function.App, r chi.Router) error {
		for name, h := range handlers {
			r.Get("/"+name, app.Handle(h))
		}
		return nil
	}}
}

type answer struct {
	status  int
	header  http.Header
	body    string
	problem struct {
		Title, Detail, RequestID string
		Status                   int
	}
	err error // of a connection that was cut off
}

func get(t *testing.T, url string) (a answer) {
	t.Helper()
	got, err := http.Get(url)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(got.Body)
	a.status, a.header, a.body, a.err = got.StatusCode, got.Header, string(body), err
	if a.header.Get("Content-Type") == httperror.ContentType && err == nil {
		if err := json.Unmarshal(body, &a.problem); err != nil {
			t.Errorf("%v: %s", err, body)
		}
	}
	return a
}

// line returns the one line with the message.
func line(t *testing.T, app *apptest.App, message string) map[string]any {
	t.Helper()
	var found []map[string]any
	for _, l := range app.Logs() {
		if l["msg"] == message {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d lines of %q: %v", len(found), message, app.Logs())
	}
	return found[0]
}

func TestErrorsBecomeAnswers(t *testing.T) {
	for _, c := range []struct {
		name     string
		err      error
		status   int
		detail   string
		reported string // the message, where it is reported
	}{
		{"the client's", httperror.New(409, "taken"), 409, "taken", ""},
		{"the client's, wrapped", fmt.Errorf("create: %w", httperror.New(404, "")), 404, "", ""},
		{"ours", errors.New("dial tcp: refused"), 500, "", "dial tcp: refused"},
		{"ours, with a status and a detail", httperror.New(503, "try again").Because(errors.New("down")), 503, "try again", "503 Service Unavailable: try again: down"},
		{"out of time", fmt.Errorf("query: %w", context.DeadlineExceeded), 500, "", "query: context deadline exceeded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := apptest.New(t)
			url := app.Serve(tested(map[string]function.Handler{"x": func(http.ResponseWriter, *http.Request) error { return c.err }}))
			a := get(t, url+"/x")
			if a.status != c.status || a.problem.Status != c.status || a.problem.Detail != c.detail || a.problem.RequestID == "" {
				t.Errorf("%d %s; want %d %q", a.status, a.body, c.status, c.detail)
			}
			reports := app.Reports()
			if c.reported == "" {
				if len(reports) > 0 || len(app.Logs()) != 1 {
					t.Errorf("reported %v, logged %v; want only the request logged", reports, app.Logs())
				}
				return
			}
			if len(reports) != 1 || reports[0].Error.Message != c.reported {
				t.Fatalf("reported %v; want %q", reports, c.reported)
			}
			context, failed := reports[0].Request.Context, line(t, app, "request failed")
			if context["requestId"] != a.problem.RequestID || context["function"] != "tested" {
				t.Errorf("reported with %v; want the request %s", context, a.problem.RequestID)
			}
			if failed["error"] != c.reported || failed["requestId"] != a.problem.RequestID || failed["function"] != "tested" {
				t.Errorf("logged %v", failed)
			}
		})
	}
}

func TestARequestWhoseClientHasGone(t *testing.T) {
	begun, done := make(chan struct{}), make(chan struct{})
	app := apptest.New(t)
	url := app.Serve(tested(map[string]function.Handler{"x": func(_ http.ResponseWriter, r *http.Request) error {
		close(begun)
		<-r.Context().Done()
		defer close(done)
		return fmt.Errorf("query: %w", r.Context().Err())
	}}))
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-begun; cancel() }()
	if a, err := http.DefaultClient.Do(r); err == nil {
		_ = a.Body.Close()
		t.Fatal("the client did not go")
	}
	<-done
	apptest.Eventually(t, "the request is logged", func() bool { return len(app.Logs()) == 2 })
	if l := line(t, app, "request"); l["status"] != 499.0 || l["level"] != "INFO" {
		t.Errorf("logged %v", l)
	}
	if len(app.Reports()) > 0 {
		t.Errorf("reported %v", app.Reports())
	}
}

func TestPanics(t *testing.T) {
	var missing map[string]int
	app := apptest.New(t)
	url := app.Serve(tested(map[string]function.Handler{
		"before": func(http.ResponseWriter, *http.Request) error { missing["key"] = 1; return nil },
		"header": func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", "image/png")
			w.Header().Set("X-Mine", "1")
			panic("oh")
		},
	}))
	a := get(t, url+"/before")
	if a.status != 500 || a.problem.Detail != "" || strings.Contains(a.body, "map") || a.problem.RequestID == "" {
		t.Errorf("%d %s; want a bare 500", a.status, a.body)
	}
	reports := app.Reports()
	if len(reports) != 1 || !strings.Contains(reports[0].Error.Message, "nil map") || reports[0].Request.Context["requestId"] != a.problem.RequestID {
		t.Fatalf("reported %v", reports)
	}
	if top := reports[0].Error.Backtrace[0]; !strings.Contains(top.File, "function_test.go") {
		t.Errorf("the stack begins at %v; want where it happened", top)
	}
	if l := line(t, app, "request"); l["status"] != 500.0 {
		t.Errorf("logged %v", l)
	}
	if a := get(t, url+"/header"); a.status != 500 || a.header.Get("Content-Type") != httperror.ContentType {
		t.Errorf("%d %v; want a problem", a.status, a.header)
	}
}

// net/http panics at a status that HTTP does not have: nothing has gone out by then.
func TestAStatusThatIsNone(t *testing.T) {
	for _, status := range []int{-1, 0, 99, 1000} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			app := apptest.New(t)
			a := get(t, app.Serve(tested(map[string]function.Handler{"x": func(w http.ResponseWriter, _ *http.Request) error {
				w.WriteHeader(status)
				return nil
			}}))+"/x")
			if a.err != nil || a.status != 500 || a.problem.Status != 500 {
				t.Errorf("%d %s, %v; want a 500 problem", a.status, a.body, a.err)
			}
			if l := line(t, app, "request"); l["status"] != 500.0 {
				t.Errorf("logged %v", l)
			}
			if reports := app.Reports(); len(reports) != 1 || !strings.Contains(reports[0].Error.Message, fmt.Sprintf("invalid WriteHeader code %d", status)) {
				t.Errorf("reported %+v", reports)
			}
		})
	}
}

func TestWhatHasBegunIsCutOff(t *testing.T) {
	part := strings.Repeat("x", 5000) // more than net/http holds back
	for name, c := range map[string]struct {
		handler  function.Handler
		reported string // its class or message
	}{
		"a panic after the body": {func(w http.ResponseWriter, _ *http.Request) error { fmt.Fprint(w, part); panic("oh") }, "oh"},
		"a panic after a flush": {func(w http.ResponseWriter, _ *http.Request) error {
			_ = http.NewResponseController(w).Flush()
			panic("oh")
		}, "oh"},
		"an error after the body": {func(w http.ResponseWriter, _ *http.Request) error {
			fmt.Fprint(w, part)
			return errors.New("the rows broke off")
		}, "after the answer had begun: the rows broke off"},
		"a client's error after the body": {func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusOK)
			return httperror.New(404, "")
		}, "after the answer had begun: 404 Not Found"},
		"an answer that is aborted": {func(w http.ResponseWriter, _ *http.Request) error { fmt.Fprint(w, part); panic(http.ErrAbortHandler) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			app := apptest.New(t)
			a := get(t, app.Serve(tested(map[string]function.Handler{"x": c.handler}))+"/x")
			if a.err == nil || strings.Contains(a.body, "about:blank") {
				t.Errorf("%d %.100s; want a connection that is cut off", a.status, a.body)
			}
			reports := app.Reports()
			if c.reported == "" {
				if len(reports) > 0 {
					t.Errorf("reported %v", reports)
				}
				return
			}
			if len(reports) != 1 || reports[0].Error.Message != c.reported {
				t.Errorf("reported %+v; want %q", reports, c.reported)
			}
		})
	}
}

// around is a writer around another, as http.ResponseController knows them.
type around struct{ http.ResponseWriter }

func (a around) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// Middleware of a route may put its own writer around ours.
func TestWhatHasBegunUnderAnotherWriter(t *testing.T) {
	app := apptest.New(t)
	a := get(t, app.Serve(tested(map[string]function.Handler{"x": func(w http.ResponseWriter, r *http.Request) error {
		app.Handle(func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusOK)
			return errors.New("late")
		})(around{w}, r)
		return nil
	}}))+"/x")
	if a.err == nil {
		t.Errorf("%d %s; want a connection that is cut off", a.status, a.body)
	}
}

func TestTheAccessLine(t *testing.T) {
	app := apptest.New(t)
	url := app.Serve(tested(map[string]function.Handler{
		"nothing": func(http.ResponseWriter, *http.Request) error { return nil },
		"json":    func(w http.ResponseWriter, _ *http.Request) error { return function.JSON(w, 201, []int{1}) },
		"hint": func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusAccepted)
			return nil
		},
	}))
	for _, c := range []struct {
		path          string
		status, bytes float64
	}{
		{"/nothing", 200, 0},
		{"/json?token=hunter2", 201, 3},
		{"/hint", 202, 0},
		{"/other", 404, -1},
	} {
		before := len(app.Logs())
		get(t, url+c.path)
		apptest.Eventually(t, "the request is logged", func() bool { return len(app.Logs()) > before })
		l := app.Logs()[before]
		path, _, _ := strings.Cut(c.path, "?")
		if l["msg"] != "request" || l["method"] != "GET" || l["path"] != path || l["status"] != c.status || (c.bytes >= 0 && l["bytes"] != c.bytes) ||
			l["duration"] == nil || l["function"] != "tested" || l["requestId"] == "" || l["level"] != "INFO" {
			t.Errorf("%s: %v", c.path, l)
		}
		if strings.Contains(fmt.Sprint(l), "hunter2") {
			t.Errorf("the query is in the log: %v", l)
		}
	}
}

func TestUnknownRoutesAndMethods(t *testing.T) {
	app := apptest.New(t)
	url := app.Serve(tested(map[string]function.Handler{"x": func(http.ResponseWriter, *http.Request) error { return nil }}))
	for _, c := range []struct{ method, path string }{{"GET", "/y"}, {"POST", "/x"}, {"GET", "/x/"}} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, url+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		if a.StatusCode != 404 || a.Header.Get("Content-Type") != httperror.ContentType || a.Header.Get("Allow") != "" {
			t.Errorf("%s %s: %d %v; want a 404 problem", c.method, c.path, a.StatusCode, a.Header)
		}
	}
}

func TestRequestID(t *testing.T) {
	app := apptest.New(t)
	var ids []string
	h, err := tested(map[string]function.Handler{"x": func(_ http.ResponseWriter, r *http.Request) error {
		ids = append(ids, logging.Value(r.Context(), logging.RequestID), logging.Value(r.Context(), logging.TraceID))
		return nil
	}}).Handler(app.App)
	if err != nil {
		t.Fatal(err)
	}
	serve := func(ctx context.Context) {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/x", nil))
	}
	serve(function.WithRequest(t.Context(), "gateway-1", "trace-1"))
	if want := []string{"gateway-1", "trace-1"}; !slices.Equal(ids, want) {
		t.Errorf("%q; want the gateway's %q", ids, want)
	}
	ids = nil
	serve(t.Context())
	serve(t.Context())
	if ids[0] == "" || ids[0] != ids[1] || ids[0] == ids[2] {
		t.Errorf("%q; want an id for each", ids)
	}
}

func TestRoutesThatFail(t *testing.T) {
	f := function.Function{Name: "tested", Routes: func(*function.App, chi.Router) error { return errors.New("AUTH_SECRET is not set") }}
	if h, err := f.Handler(newApp()); h != nil || err == nil || err.Error() != "function tested: AUTH_SECRET is not set" {
		t.Errorf("%v, %v", h, err)
	}
}

func TestJSON(t *testing.T) {
	w := httptest.NewRecorder()
	if err := function.JSON(w, 201, map[string]string{"a": "ä"}); err != nil {
		t.Fatal(err)
	}
	if w.Code != 201 || w.Body.String() != `{"a":"ä"}` || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Content-Length") != "10" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	w = httptest.NewRecorder()
	if err := function.JSON(w, 200, math.Inf(1)); err == nil || len(w.Header()) > 0 || w.Body.Len() > 0 {
		t.Errorf("%v, %v, %s; want an error and nothing written", err, w.Header(), w.Body)
	}
}

func TestParam(t *testing.T) {
	r := chi.NewRouter()
	r.Get("/users/{id}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, function.Param(r, "id"), "|", function.Param(r, "other"))
	})
	server := httptest.NewServer(r)
	defer server.Close()
	for sent, want := range map[string]string{"a": "a", "a%2Fb": "a/b", "a%20b": "a b", "50%25": "50%", "%252F": "%2F", "a%2F%25": "a/%", "%C3%A4": "ä", "a+b": "a+b"} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET /users/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", sent)
		a, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(a.Body)
		_ = a.Body.Close()
		_ = conn.Close()
		if string(body) != want+"|" {
			t.Errorf("%s: %s; want %s", sent, body, want)
		}
	}
}

func BenchmarkFunction(b *testing.B) {
	h, err := tested(map[string]function.Handler{"x": func(w http.ResponseWriter, _ *http.Request) error {
		return function.JSON(w, 200, map[string]string{"hello": "world"})
	}}).Handler(newApp())
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/x", nil)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
