package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/shared/apptest"
)

// body is an Event that takes the request's body for the event itself.
func body(r *http.Request) ([]byte, error) { return io.ReadAll(r.Body) }

func serve(t *testing.T, h *lambda.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// headers writes what is not net/http's own, a line each.
func headers(h http.Header) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			if name != "Date" && name != "Content-Length" {
				lines = append(lines, name+": "+v)
			}
		}
	}
	return strings.Join(lines, "\n")
}

func raw(answer string) string {
	b, _ := json.Marshal(map[string]string{"do": "raw", "text": answer})
	return string(b)
}

func TestAnswers(t *testing.T) {
	const failed = `{"message":"Internal Server Error"}`
	host, _ := newHost(t, lambda.Options{})
	pool := newPool(t, host, lambda.Function{})
	url := serve(t, &lambda.Handler{Invoke: pool.Invoke, Event: body}).URL
	for _, tt := range []struct {
		name, format, answer string
		status               int
		header, body         string // header: "Name: value" lines, in order
	}{
		{"a whole answer", "2.0", `{"statusCode":201,"headers":{"content-type":"text/html","x-a":"1"},"body":"<p>"}`, 201, "Content-Type: text/html\nX-A: 1", "<p>"},
		{"a status alone", "2.0", `{"statusCode":404}`, 404, "", ""},
		{"a status in digits", "2.0", `{"statusCode":"404"}`, 404, "", ""},
		{"a status of none", "2.0", `{"statusCode":99}`, 500, "Content-Type: application/json", failed},
		{"an interim status", "2.0", `{"statusCode":101}`, 500, "Content-Type: application/json", failed},
		{"a status beyond", "2.0", `{"statusCode":600}`, 500, "Content-Type: application/json", failed},
		{"a status with a fraction", "2.0", `{"statusCode":200.5}`, 500, "Content-Type: application/json", failed},
		{"a status that is an object", "2.0", `{"statusCode":{}}`, 500, "Content-Type: application/json", failed},
		{"no content", "2.0", `{"statusCode":204,"headers":{"X-A":"1"},"body":"ignored"}`, 204, "X-A: 1", ""},
		{"no content type", "2.0", `{"statusCode":200,"body":"<p>"}`, 200, "Content-Type: text/plain;charset=UTF-8", "<p>"},
		{"an empty body", "2.0", `{"statusCode":200,"body":""}`, 200, "", ""},
		{"a null body", "2.0", `{"statusCode":200,"body":null,"headers":null,"cookies":null,"isBase64Encoded":null}`, 200, "", ""},
		{"a body that is an object", "2.0", `{"statusCode":200,"body":{"a":1}}`, 500, "Content-Type: application/json", failed},
		{"headers that are numbers", "2.0", `{"statusCode":200,"headers":{"x-a":1,"x-b":true}}`, 200, "X-A: 1\nX-B: true", ""},
		{"a header that is a list", "2.0", `{"statusCode":200,"headers":{"x-a":["1"]}}`, 500, "Content-Type: application/json", failed},
		{"a length that is wrong", "2.0", `{"statusCode":200,"headers":{"Content-Length":"99","Content-Type":"a/b","Transfer-Encoding":"chunked"},"body":"abc"}`, 200, "Content-Type: a/b", "abc"},
		{"cookies", "2.0", `{"statusCode":200,"cookies":["a=1; Path=/","b=2"]}`, 200, "Set-Cookie: a=1; Path=/\nSet-Cookie: b=2", ""},
		{"a cookie in the headers too", "2.0", `{"statusCode":200,"headers":{"set-cookie":"a=1"},"cookies":["b=2"]}`, 200, "Set-Cookie: a=1\nSet-Cookie: b=2", ""},
		{"lists of headers are of the other format", "2.0", `{"statusCode":200,"multiValueHeaders":{"x-a":["1"]}}`, 200, "", ""},
		{"base64", "2.0", `{"statusCode":200,"headers":{"content-type":"a/b"},"body":"AP8=","isBase64Encoded":true}`, 200, "Content-Type: a/b", "\x00\xff"},
		{"bad base64", "2.0", `{"statusCode":200,"body":"A!","isBase64Encoded":true}`, 500, "Content-Type: application/json", failed},
		{"the names have their case", "2.0", `{"StatusCode":201}`, 200, "Content-Type: application/json", `{"StatusCode":201}`},
		{"an object of the function's own", "2.0", `{"headers":5, "hello":"world"}`, 200, "Content-Type: application/json", `{"headers":5, "hello":"world"}`},
		{"a text", "2.0", `"hello"`, 200, "Content-Type: application/json", `"hello"`},
		{"a list", "2.0", ` [1]`, 200, "Content-Type: application/json", ` [1]`},
		{"null", "2.0", `null`, 200, "Content-Type: application/json", `null`},
		{"nothing", "2.0", ``, 500, "Content-Type: application/json", failed},
		{"no JSON", "2.0", `hello`, 500, "Content-Type: application/json", failed},
		{"an object cut off", "2.0", `{"statusCode":200`, 500, "Content-Type: application/json", failed},
		{"an object and more", "2.0", `{"statusCode":200} {}`, 500, "Content-Type: application/json", failed},
		{"1.0: lists of headers", "1.0", `{"statusCode":200,"headers":{"x-a":"1","x-b":"2"},"multiValueHeaders":{"X-A":["3",4]}}`, 200, "X-A: 3\nX-A: 4\nX-B: 2", ""},
		{"1.0: cookies are of the other format", "1.0", `{"statusCode":200,"cookies":["a=1"]}`, 200, "", ""},
		{"1.0: no status", "1.0", `{"hello":"world"}`, 500, "Content-Type: application/json", failed},
		{"1.0: no object", "1.0", `"hello"`, 500, "Content-Type: application/json", failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			event := `{"version":"` + tt.format + `",` + raw(tt.answer)[1:]
			got := apptest.Do(t, http.MethodPost, url, event, nil)
			if got.Status != tt.status || got.Body != tt.body || headers(got.Header) != tt.header {
				t.Errorf("%d\n%s\n\n%s\n\nnot %d\n%s\n\n%s", got.Status, headers(got.Header), got.Body, tt.status, tt.header, tt.body)
			}
		})
	}
}

func TestHEADHasTheLengthThatTheFunctionNames(t *testing.T) {
	host, _ := newHost(t, lambda.Options{})
	pool := newPool(t, host, lambda.Function{})
	event := func(*http.Request) ([]byte, error) {
		return []byte(raw(`{"statusCode":200,"headers":{"content-length":"123"}}`)), nil
	}
	got := apptest.Do(t, http.MethodHead, serve(t, &lambda.Handler{Invoke: pool.Invoke, Event: event}).URL, "", nil)
	if length := got.Header.Get("Content-Length"); length != "123" {
		t.Errorf("%q", length)
	}
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name, event string
		function    lambda.Function
		event500    error
		patience    time.Duration
		status      int
		body        string
	}{
		{name: "a failed function", event: `{"do":"error"}`, status: 500, body: `{"message":"Internal Server Error"}`},
		{name: "a crashed one", event: `{"do":"exit"}`, status: 500, body: `{"message":"Internal Server Error"}`},
		{name: "a killed one", event: `{"do":"hang"}`, function: lambda.Function{Timeout: 100 * time.Millisecond}, status: 500, body: `{"message":"Internal Server Error"}`},
		{name: "a busy one", event: `{"do":"echo"}`, function: lambda.Function{Reserved: new(0)}, status: 429, body: `{"message":"Too Many Requests"}`},
		{name: "a slow one", event: `{"do":"hang"}`, patience: 50 * time.Millisecond, status: 503, body: `{"message":"Service Unavailable"}`},
		{name: "an event too large", event: strings.Repeat(" ", lambda.MaxPayload+1), status: 413, body: `{"message":"Request Entity Too Large"}`},
		{name: "no event", event500: errors.New("no event"), status: 500, body: `{"message":"Internal Server Error"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			host, _ := newHost(t, lambda.Options{})
			h := &lambda.Handler{Invoke: newPool(t, host, tt.function).Invoke, Event: body}
			if tt.event500 != nil {
				h.Event = func(*http.Request) ([]byte, error) { return nil, tt.event500 }
			}
			s := serve(t, h)
			s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ctx := r.Context()
				if tt.patience > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.patience)
					defer cancel()
				}
				h.ServeHTTP(w, r.WithContext(ctx))
			})
			got := apptest.Do(t, http.MethodPost, s.URL, tt.event, nil)
			if got.Status != tt.status || got.Body != tt.body || headers(got.Header) != "Content-Type: application/json" {
				t.Errorf("%+v", got)
			}
			h.Refuse = func(w http.ResponseWriter, _ *http.Request, status int) { w.WriteHeader(status + 1) }
			if got := apptest.Do(t, http.MethodPost, s.URL, tt.event, nil); got.Status != tt.status+1 {
				t.Errorf("with words of its own: %+v", got)
			}
		})
	}
}

func TestAStreamedAnswerComesAsItIsWritten(t *testing.T) {
	host, _ := newHost(t, lambda.Options{})
	pool := newPool(t, host, lambda.Function{Timeout: time.Minute})
	s := serve(t, &lambda.Handler{Invoke: pool.Invoke, Event: body, Stream: true})
	until := filepath.Join(t.TempDir(), "until")
	res, err := http.Post(s.URL, "", strings.NewReader(fmt.Sprintf(`{"do":"stream","unless":%q}`, until)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 201 || headers(res.Header) != "Content-Type: application/octet-stream\nSet-Cookie: a=1\nX-From: stream" {
		t.Errorf("%d %s", res.StatusCode, headers(res.Header))
	}
	one := make([]byte, 4)
	if _, err := io.ReadFull(res.Body, one); err != nil || string(one) != "one " {
		t.Fatalf("%q %v", one, err)
	}
	touch(t, until) // only now the function goes on
	rest, err := io.ReadAll(res.Body)
	if err != nil || string(rest) != "two" {
		t.Errorf("%q %v", rest, err)
	}
}

func TestAStreamedAnswerThatFails(t *testing.T) {
	for name, how := range map[string]string{"the function's error": "fail", "an exit": "exit", "a time-out": "hang"} {
		t.Run(name, func(t *testing.T) {
			host, _ := newHost(t, lambda.Options{})
			pool := newPool(t, host, lambda.Function{Timeout: 2 * time.Second})
			s := serve(t, &lambda.Handler{Invoke: pool.Invoke, Event: body, Stream: true})
			until := filepath.Join(t.TempDir(), "until")
			res, err := http.Post(s.URL, "", strings.NewReader(fmt.Sprintf(`{"do":"stream","text":%q,"unless":%q}`, how, until)))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			one := make([]byte, 4)
			if _, err := io.ReadFull(res.Body, one); err != nil || string(one) != "one " || res.StatusCode != 201 {
				t.Fatalf("%d %q %v", res.StatusCode, one, err)
			}
			touch(t, until) // only now it fails
			if rest, err := io.ReadAll(res.Body); len(rest) > 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%q %v", rest, err)
			}
		})
	}
}

func TestStreamsWithoutAPrelude(t *testing.T) {
	host, _ := newHost(t, lambda.Options{})
	pool := newPool(t, host, lambda.Function{})
	s := serve(t, &lambda.Handler{Invoke: pool.Invoke, Event: body, Stream: true})
	got := apptest.Do(t, http.MethodPost, s.URL, raw("<p>"), nil)
	if got.Status != 200 || got.Body != "<p>" || headers(got.Header) != "Content-Type: application/octet-stream" {
		t.Errorf("%+v", got)
	}
	got = apptest.Do(t, http.MethodPost, s.URL, `{"do":"error","text":"no"}`, nil)
	if got.Status != 500 || got.Body != `{"message":"Internal Server Error"}` {
		t.Errorf("%+v", got)
	}
}
