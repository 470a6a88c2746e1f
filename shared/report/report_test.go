package report_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/report"
)

func TestNotifyTellsWhatWentWrongAndWhere(t *testing.T) {
	// The client's own variables must not speak in our reports.
	for _, name := range []string{"ENV", "HOSTNAME", "ROOT", "API_KEY", "ENDPOINT"} {
		t.Setenv("HONEYBADGER_"+name, "http://surprise.invalid")
	}
	t.Setenv("HONEYBADGER_TIMEOUT", "1ns")
	t.Setenv("HONEYBADGER_SYNC", "false")
	h, log := newHoneybadger(t, http.StatusCreated, nil), &lines{}
	r := newSync(h, log)

	r.Notify(inRequest(t), fmt.Errorf("find user 7: %w", &fs.PathError{Op: "open", Path: "users", Err: syscall.ENOENT}),
		report.Tags("users", "disk"), report.Data(map[string]any{"user": 7, "function": "another"}))

	n, raw := h.only(t)
	if h.path != "POST /v1/notices" || h.header.Get("X-API-Key") != apiKey {
		t.Errorf("sent to %s with the key %q", h.path, h.header.Get("X-API-Key"))
	}
	if n.Error.Class != "fs.PathError" || n.Error.Message != "find user 7: open users: no such file or directory" {
		t.Errorf("class %q, message %q", n.Error.Class, n.Error.Message)
	}
	if !reflect.DeepEqual(n.Error.Tags, []string{"users", "disk"}) {
		t.Errorf("tags %q", n.Error.Tags)
	}
	host, _ := os.Hostname()
	if n.Server.Environment != "testing" || n.Server.Hostname != host || n.Server.ProjectRoot != "" {
		t.Errorf("server %+v", n.Server)
	}
	want := map[string]any{
		"function": "foo", "requestId": "req-1", "traceId": "trace-1", "user": 7.0,
		"chain": []any{
			"fmt.wrapError: find user 7: open users: no such file or directory",
			"fs.PathError: open users: no such file or directory",
			"syscall.Errno: no such file or directory",
		},
	}
	if !reflect.DeepEqual(n.Request.Context, want) {
		t.Errorf("context\n got %v\nwant %v", n.Request.Context, want)
	}
	top := n.Error.Backtrace[0]
	if !strings.HasSuffix(top.Method, "report_test.TestNotifyTellsWhatWentWrongAndWhere") ||
		top.File != "[PROJECT_ROOT]/shared/report/report_test.go" || top.Number == "0" {
		t.Errorf("the stack begins with %+v", top)
	}
	if strings.Contains(raw, "surprise") {
		t.Errorf("a HONEYBADGER_ variable is in the notice: %s", raw)
	}
	if got := r.Stats(); got != (report.Stats{Sent: 1}) || log.String() != "" {
		t.Errorf("stats %+v, log %q", got, log)
	}
}

func TestClass(t *testing.T) {
	var nobody *customError
	for name, c := range map[string]struct {
		err    error
		extras []report.Extra
		want   string
	}{
		"text alone":            {errors.New("oh"), nil, "error"},
		"wrapped text":          {fmt.Errorf("a: %w", errors.New("oh")), nil, "error"},
		"a type":                {&customError{}, nil, "report_test.customError"},
		"a wrapped type":        {fmt.Errorf("a: %w", &customError{}), nil, "report_test.customError"},
		"the innermost type":    {&customError{inner: &net.AddrError{}}, nil, "net.AddrError"},
		"a type around text":    {&customError{inner: errors.New("oh")}, nil, "report_test.customError"},
		"above the system call": {&net.OpError{Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, nil, "net.OpError"},
		"a client's error":      {httperror.New(503, "busy").Because(errors.New("oh")), nil, "httperror.Error"},
		"joined":                {errors.Join(errors.New("oh"), &customError{}), nil, "report_test.customError"},
		"two wrapped":           {fmt.Errorf("%w: %w", errors.New("oh"), &customError{}), nil, "report_test.customError"},
		"cancelled elsewhere":   {fmt.Errorf("a: %w", context.Canceled), nil, "context.Canceled"},
		"out of time":           {fmt.Errorf("a: %w", context.DeadlineExceeded), nil, "context.deadlineExceededError"},
		"a nil pointer":         {nobody, nil, "report_test.customError"},
		"named":                 {&customError{}, []report.Extra{report.Class("Named")}, "Named"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHoneybadger(t, http.StatusCreated, nil)
			newSync(h, &lines{}).Notify(t.Context(), c.err, c.extras...)
			if n, _ := h.only(t); n.Error.Class != c.want {
				t.Errorf("class %q, want %q", n.Error.Class, c.want)
			}
		})
	}
}

type customError struct{ inner error }

func (e *customError) Error() string { return fmt.Sprint("custom: ", e.inner) }

func (e *customError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.inner
}

func TestMessageIsANoticeThatIsNoError(t *testing.T) {
	h := newHoneybadger(t, http.StatusCreated, nil)
	newSync(h, &lines{}).Message(inRequest(t), "Greeting", "someone said hello",
		report.Request(httptest.NewRequest("GET", "/v1/foo?a=b", nil)))
	n, _ := h.only(t)
	if n.Error.Class != "Greeting" || n.Error.Message != "someone said hello" || n.Request.Context["chain"] != nil {
		t.Errorf("class %q, message %q, context %v", n.Error.Class, n.Error.Message, n.Request.Context)
	}
	if n.Request.URL != "http://example.com/v1/foo?a=b" || n.Request.CGIData["REQUEST_METHOD"] != "GET" {
		t.Errorf("url %q, cgi %v", n.Request.URL, n.Request.CGIData)
	}
	if got := n.Error.Backtrace[0].Method; !strings.HasSuffix(got, ".TestMessageIsANoticeThatIsNoError") {
		t.Errorf("the stack begins with %s", got)
	}
}

func TestWhatIsNobodysFaultIsLeftOut(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want int
	}{
		"no error":                        {t.Context(), nil, 0},
		"an answer cut off":               {t.Context(), fmt.Errorf("copy: %w", http.ErrAbortHandler), 0},
		"the request was cancelled":       {cancelled, fmt.Errorf("query: %w", context.Canceled), 0},
		"something else was cancelled":    {t.Context(), fmt.Errorf("query: %w", context.Canceled), 1},
		"another error after cancelling":  {cancelled, errors.New("oh"), 1},
		"the request ran out of its time": {late, fmt.Errorf("query: %w", context.DeadlineExceeded), 1},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHoneybadger(t, http.StatusCreated, nil)
			newSync(h, &lines{}).Notify(c.ctx, c.err)
			if got := len(h.raw()); got != c.want {
				t.Errorf("%d notices, want %d", got, c.want)
			}
		})
	}
	h := newHoneybadger(t, http.StatusCreated, nil)
	newSync(h, &lines{}).Panic(t.Context(), http.ErrAbortHandler)
	if got := len(h.raw()); got != 0 {
		t.Errorf("a panic with ErrAbortHandler sent %d notices, want none", got)
	}
}

func TestWithoutAKeyAReportIsLogged(t *testing.T) {
	log := &lines{}
	r := report.New(report.Options{Log: log.logger()})
	request := httptest.NewRequest("GET", "/x?token=abc", nil)
	r.Notify(inRequest(t), fmt.Errorf("dial postgres://u:p4ss@h/db: %w", &customError{}), report.Request(request))
	got := log.String()
	for _, want := range []string{
		`"msg":"report (not sent: HONEYBADGER_API_KEY is not set)"`, `"level":"WARN"`, `"class":"report_test.customError"`,
		`"message":"dial postgres://[hidden]@h/db: custom: <nil>"`, `"function":"foo"`, `"requestId":"req-1"`,
		"TestWithoutAKeyAReportIsLogged [PROJECT_ROOT]/shared/report/report_test.go:", `"url":"http://example.com/x?token=[hidden]"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the log lacks %s:\n%s", want, got)
		}
	}
	if strings.Contains(got, "p4ss") || strings.Contains(got, "abc") {
		t.Errorf("a secret was logged: %s", got)
	}
	if err := r.Close(t.Context()); err != nil || r.Stats() != (report.Stats{}) {
		t.Errorf("Close: %v, stats %+v", err, r.Stats())
	}
}

func TestTheZeroOptionsDoNoHarm(t *testing.T) {
	r := report.New(report.Options{})
	r.Notify(t.Context(), errors.New("oh"), report.Request(&http.Request{}), report.Request(nil), report.Data(nil))
	r.Panic(t.Context(), nil)
	r.Message(t.Context(), "", "")
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestARequestWithoutItsPartsIsReported(t *testing.T) {
	h := newHoneybadger(t, http.StatusCreated, nil)
	newSync(h, &lines{}).Notify(t.Context(), errors.New("oh"), report.Request(&http.Request{URL: &url.URL{Path: "/x"}}))
	if n, _ := h.only(t); n.Request.URL != "/x" {
		t.Errorf("url %q", n.Request.URL)
	}
}

// What a request pays for a report: making the notice, or finding the queue full.
func BenchmarkNotifyAsync(b *testing.B) {
	request := httptest.NewRequest("GET", "/v1/foo?name=x&token=abc", nil)
	request.Header.Set("Authorization", "Bearer abc")
	request.Header.Set("User-Agent", "benchmark")
	err := fmt.Errorf("find user 7: %w", errors.New("no such table"))
	for name, queue := range map[string]int{"queued": 1 << 24, "dropped": 1} {
		b.Run(name, func(b *testing.B) {
			hung := make(chan struct{})
			h := newHoneybadger(b, http.StatusCreated, hung)
			r := report.New(report.Options{APIKey: apiKey, Endpoint: h.url, Timeout: time.Minute, Queue: queue})
			b.ReportAllocs()
			for b.Loop() {
				r.Notify(b.Context(), err, report.Request(request), report.Data(map[string]any{"n": 1}))
			}
			ended, cancel := context.WithCancel(b.Context())
			cancel()
			_ = r.Close(ended)
			close(hung)
		})
	}
}
