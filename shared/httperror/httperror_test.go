package httperror_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/logging"
)

func TestWrite(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"a status alone", httperror.New(404, ""), `{"type":"about:blank","title":"Not Found","status":404,"requestId":"req-1"}`},
		{"a detail", httperror.New(400, "line %d", 3), `{"type":"about:blank","title":"Bad Request","status":400,"detail":"line 3","requestId":"req-1"}`},
		{"violations", &httperror.Error{Status: 422, Violations: []httperror.Violation{{Pointer: "/a~1b", Message: "is required"}, {Message: "is no object"}}},
			`{"type":"about:blank","title":"Unprocessable Entity","status":422,"errors":[{"pointer":"/a~1b","message":"is required"},{"pointer":"","message":"is no object"}],"requestId":"req-1"}`},
		{"wrapped", fmt.Errorf("read the body: %w", httperror.New(413, "too long")), `{"type":"about:blank","title":"Request Entity Too Large","status":413,"detail":"too long","requestId":"req-1"}`},
		{"because of something inside", httperror.New(503, "try again").Because(errors.New("hunter2")), `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"try again","requestId":"req-1"}`},
		{"an inner error", &fs.PathError{Op: "open", Path: "/etc/hunter2", Err: fs.ErrNotExist}, `{"type":"about:blank","title":"Internal Server Error","status":500,"requestId":"req-1"}`},
		{"no error", nil, `{"type":"about:blank","title":"Internal Server Error","status":500,"requestId":"req-1"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r = r.WithContext(logging.With(r.Context(), slog.String(logging.RequestID, "req-1")))
			w := httptest.NewRecorder()
			httperror.Write(w, r, c.err)
			if w.Body.String() != c.want || w.Code != httperror.Status(c.err) {
				t.Errorf("%d %s\nwant %s", w.Code, w.Body, c.want)
			}
			var status struct{ Status int }
			if err := json.Unmarshal(w.Body.Bytes(), &status); err != nil || status.Status != w.Code {
				t.Errorf("the document says %d, the answer %d: %v", status.Status, w.Code, err)
			}
			want := http.Header{
				"Content-Type": {"application/problem+json"}, "Content-Length": {strconv.Itoa(len(c.want))}, "X-Content-Type-Options": {"nosniff"},
			}
			if !reflect.DeepEqual(w.Header(), want) {
				t.Errorf("headers %v; want %v", w.Header(), want)
			}
		})
	}
}

func TestWriteWithoutARequestID(t *testing.T) {
	w := httptest.NewRecorder()
	httperror.Write(w, httptest.NewRequest("GET", "/", nil), httperror.New(404, ""))
	if strings.Contains(w.Body.String(), "requestId") {
		t.Errorf("%s", w.Body)
	}
}

// What a handler has set for the answer it meant to give must not describe another.
func TestWriteKeepsWhatStillHolds(t *testing.T) {
	w := httptest.NewRecorder()
	for name, value := range map[string]string{
		"Content-Type": "image/png", "Content-Length": "12345", "Content-Encoding": "gzip", "Content-Language": "de", "Content-Disposition": "attachment",
		"Content-Range": "bytes 0-1/2", "Content-Location": "/a",
		"ETag": `"x"`, "Last-Modified": "yesterday", "Cache-Control": "max-age=60", "Expires": "tomorrow",
		"Link": "</docs>; rel=help", "Deprecation": "@1", "Retry-After": "1", "Vary": "Origin",
	} {
		w.Header().Set(name, value)
	}
	err := httperror.New(429, "").With("retry-after", "30").With("Cache-Control", "no-store")
	httperror.Write(w, httptest.NewRequest("GET", "/", nil), err)
	want := http.Header{
		"Content-Type": {"application/problem+json"}, "Content-Length": {strconv.Itoa(w.Body.Len())}, "X-Content-Type-Options": {"nosniff"},
		"Link": {"</docs>; rel=help"}, "Deprecation": {"@1"}, "Vary": {"Origin"}, "Retry-After": {"30"}, "Cache-Control": {"no-store"},
	}
	if !reflect.DeepEqual(w.Header(), want) {
		t.Errorf("headers\n%v\nwant\n%v", w.Header(), want)
	}
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{httperror.New(409, ""), 409},
		{fmt.Errorf("a: %w", fmt.Errorf("b: %w", httperror.New(409, ""))), 409},
		{errors.Join(errors.New("a"), httperror.New(409, "")), 409},
		{httperror.New(503, "").Because(httperror.New(404, "of the vendor")), 503},
		{errors.New("a"), 500},
		{nil, 500},
	} {
		if got := httperror.Status(c.err); got != c.want {
			t.Errorf("%v: %d; want %d", c.err, got, c.want)
		}
	}
}

func TestError(t *testing.T) {
	cause := errors.New("connection refused")
	for err, want := range map[*httperror.Error]string{
		httperror.New(404, ""):                         "404 Not Found",
		httperror.New(400, "line %d", 3):               "400 Bad Request: line 3",
		httperror.New(503, "").Because(cause):          "503 Service Unavailable: connection refused",
		httperror.New(503, "try again").Because(cause): "503 Service Unavailable: try again: connection refused",
		httperror.New(400, "100%% of %q", "it"):        `400 Bad Request: 100% of "it"`,
	} {
		if got := err.Error(); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
	if !errors.Is(fmt.Errorf("a: %w", httperror.New(503, "").Because(cause)), cause) {
		t.Error("the cause is not in the chain")
	}
}

func BenchmarkWrite(b *testing.B) {
	r := httptest.NewRequest("GET", "/", nil)
	err := httperror.New(422, "the body does not have the required form")
	err.Violations = []httperror.Violation{{Pointer: "/hello", Message: "is required"}}
	b.ReportAllocs()
	for b.Loop() {
		httperror.Write(httptest.NewRecorder(), r, err)
	}
}
