package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/logging"
)

// sight is what a function sees of a request.
type sight struct {
	Method, Path, Escaped, URI, Query, Host, Remote, Proto, Body string
	Header                                                       map[string]string
	Repeated                                                     []string // headers with more than one value
	Length                                                       int64
	Chunked                                                      bool
	RequestID, TraceID                                           string
	Param                                                        string
}

func look(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	s := sight{
		Method: r.Method, Path: r.URL.Path, Escaped: r.URL.EscapedPath(), URI: r.RequestURI, Query: r.URL.RawQuery,
		Host: r.Host, Remote: r.RemoteAddr, Proto: r.Proto, Body: string(body), Length: r.ContentLength,
		Chunked: r.TransferEncoding != nil, Header: map[string]string{},
		RequestID: logging.Value(r.Context(), logging.RequestID), TraceID: logging.Value(r.Context(), logging.TraceID),
		Param: function.Param(r, "id"),
	}
	for name, values := range r.Header {
		s.Header[name] = strings.Join(values, "|")
		if len(values) > 1 {
			s.Repeated = append(s.Repeated, name)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s)
}

func (r result) sight(t testing.TB) sight {
	t.Helper()
	var s sight
	if err := json.Unmarshal([]byte(r.body), &s); err != nil {
		t.Fatalf("%d %s: %v", r.status, r.body, err)
	}
	return s
}

func TestRequest(t *testing.T) {
	addr := stage{template: routes("ANY /{path+}", "GET /users/{id}", "GET /users/{id}/posts"), function: look}.start(t)
	_, port, _ := net.SplitHostPort(addr)
	for _, c := range []struct {
		name, head, body string
		check            func(s sight) bool
	}{
		{"what the gateway adds", "GET /a", "", func(s sight) bool {
			return s.Header["X-Forwarded-For"] == "127.0.0.1" && s.Header["X-Forwarded-Port"] == port && s.Header["X-Forwarded-Proto"] == "http" &&
				strings.HasPrefix(s.Header["X-Amzn-Trace-Id"], "Root=1-") && s.TraceID == strings.TrimPrefix(s.Header["X-Amzn-Trace-Id"], "Root=")
		}},
		{"the host is no header", "GET /a", "", func(s sight) bool { return s.Host == "api.example.com:8080" && s.Header["Host"] == "" }},
		{"the client's port is not told", "GET /a", "", func(s sight) bool { return s.Remote == "127.0.0.1:0" }},
		{"a proxy in front", "GET /a\nX-Forwarded-For: 192.0.2.7\nX-Forwarded-Proto: https\nX-Forwarded-Port: 443", "", func(s sight) bool {
			return s.Header["X-Forwarded-For"] == "192.0.2.7, 127.0.0.1" && s.Header["X-Forwarded-Proto"] == "http" && s.Header["X-Forwarded-Port"] == port
		}},
		{"a trace that goes on", "GET /a\nX-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1", "", func(s sight) bool {
			return s.Header["X-Amzn-Trace-Id"] == "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1" && s.TraceID == "1-67891233-abcdef012345678912345678"
		}},
		{"a trace that is none", "GET /a\nX-Amzn-Trace-Id: nonsense", "", func(s sight) bool { return strings.HasPrefix(s.Header["X-Amzn-Trace-Id"], "Root=1-") }},
		{"a header twice", "GET /a\nAccept: text/html\nAccept: text/plain, */*", "", func(s sight) bool { return s.Header["Accept"] == "text/html,text/plain, */*" }},
		{"cookies in several lines", "GET /a\nCookie: a=1; b=2\nCookie: c=3", "", func(s sight) bool { return s.Header["Cookie"] == "a=1; b=2; c=3" }},
		{"headers between two machines", "GET /a\nConnection: keep-alive, X-Mine\nKeep-Alive: 5\nTE: trailers\nUpgrade: websocket\nProxy-Authorization: x\nX-Mine: 1", "", func(s sight) bool {
			names := slices.Sorted(maps.Keys(s.Header))
			return slices.Equal(names, []string{"X-Amzn-Trace-Id", "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Mine"})
		}},
		{"an empty header", "GET /a\nX-Empty:", "", func(s sight) bool { v, ok := s.Header["X-Empty"]; return ok && v == "" }},
		{"the query as it was sent", "GET /a?b=%20c&b=d+e&f", "", func(s sight) bool { return s.Query == "b=%20c&b=d+e&f" && s.URI == "/a?b=%20c&b=d+e&f" }},
		{"a path that is escaped more than it needs", "GET /%61/%7Eb", "", func(s sight) bool { return s.Path == "/a/~b" && s.Escaped == "/a/~b" && s.URI == "/a/~b" }},
		{"a path with a space and other letters", "GET /a%20b/%C3%A4", "", func(s sight) bool { return s.Path == "/a b/ä" && s.Escaped == "/a%20b/%C3%A4" }},
		{"a percent sign", "GET /100%25", "", func(s sight) bool { return s.Path == "/100%" && s.Escaped == "/100%25" }},
		{"a slash in a variable", "GET /users/a%2Fb", "", func(s sight) bool { return s.Path == "/users/a/b" && s.Escaped == "/users/a%2Fb" }},
		{"a slash in a greedy variable", "GET /files/a%2Fb", "", func(s sight) bool { return s.Path == "/files/a/b" && s.Escaped == "/files/a/b" }},
		{"a question mark and a hash in a variable", "GET /users/a%3Fb%23c", "", func(s sight) bool { return s.Path == "/users/a?b#c" && s.Escaped == "/users/a%3Fb%23c" }},
		{"a comma in a variable", "GET /users/a,b", "", func(s sight) bool { return s.Path == "/users/a,b" && s.Escaped == "/users/a%2Cb" }},
		{"a whole URL", "GET http://other.example/a?b=c", "", func(s sight) bool { return s.Host == "other.example" && s.Path == "/a" && s.URI == "/a?b=c" }},
		{"a doubled slash", "GET /a//b/", "", func(s sight) bool { return s.Path == "/a//b/" && s.URI == "/a//b/" }},
		{"a question mark alone", "GET /a?", "", func(s sight) bool { return s.URI == "/a" }},
		{"a body", "POST /a\nContent-Length: 5\nContent-Type: text/plain", "hello", func(s sight) bool { return s.Body == "hello" && s.Length == 5 && s.Header["Content-Length"] == "5" }},
		{"a body in chunks", "POST /a\nTransfer-Encoding: chunked", "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", func(s sight) bool {
			return s.Body == "hello" && s.Length == 5 && s.Header["Content-Length"] == "5" && !s.Chunked && s.Header["Transfer-Encoding"] == ""
		}},
		{"trailers", "POST /a\nTransfer-Encoding: chunked\nTrailer: X-Late", "2\r\nhi\r\n0\r\nX-Late: 1\r\n\r\n", func(s sight) bool {
			return s.Body == "hi" && s.Header["Trailer"] == "" && s.Header["X-Late"] == ""
		}},
		{"a body of nothing", "POST /a\nContent-Length: 0", "", func(s sight) bool { return s.Body == "" && s.Length == 0 }},
		{"chunks of nothing", "POST /a\nTransfer-Encoding: chunked", "0\r\n\r\n", func(s sight) bool { return s.Body == "" && s.Length == 0 }},
		{"GET with a body", "GET /a\nContent-Length: 2", "hi", func(s sight) bool { return s.Body == "hi" }},
		{"HTTP/1.0", "GET /a HTTP/1.0", "", func(s sight) bool { return s.Proto == "HTTP/1.0" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := send(t, addr, c.head, c.body)
			s := got.sight(t)
			if !c.check(s) || s.Repeated != nil {
				t.Errorf("the function sees %+v", s)
			}
			if id := got.header.Get("Apigw-Requestid"); s.RequestID != id {
				t.Errorf("the function has the id %q, the client %q", s.RequestID, id)
			}
		})
	}
}

// TestExpect shows that a client which waits for leave to send its body gets it.
func TestExpect(t *testing.T) {
	addr := stage{template: routes("POST /a"), function: look}.start(t)
	conn := dial(t, addr)
	_, _ = io.WriteString(conn, wire("POST /a\nExpect: 100-continue\nContent-Length: 5"))
	leave := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	if _, err := io.ReadFull(conn, leave); err != nil || string(leave) != "HTTP/1.1 100 Continue\r\n\r\n" {
		t.Fatalf("%q, %v", leave, err)
	}
	_, _ = io.WriteString(conn, "hello")
	got := read(t, reader(conn), "POST").sight(t)
	if got.Body != "hello" || got.Header["Expect"] != "" {
		t.Errorf("%+v", got)
	}
}

// TestContext shows what the function's context is: of the time-out, and of nothing
// else.
func TestContext(t *testing.T) {
	type key struct{}
	seen := make(chan context.Context, 1)
	handler := stage{template: routes("GET /a"), function: func(_ http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		deadline, ok := ctx.Deadline()
		if left := time.Until(deadline); !ok || left > 3*time.Second || left < 2*time.Second {
			t.Errorf("the deadline is in %s, %t; the function has 3 s", left, ok)
		}
		if ctx.Value(key{}) != "value" {
			t.Error("a value that the host has put into the context is lost")
		}
		if ctx.Err() != nil {
			t.Error(ctx.Err())
		}
		child, cancel := context.WithCancel(ctx)
		t.Cleanup(cancel)
		context.AfterFunc(ctx, func() { seen <- child })
		if child.Err() != nil {
			t.Error("a client that goes away ends the context")
		}
		if r.Pattern != "" {
			t.Errorf("the pattern is the gateway's own: %s", r.Pattern)
		}
	}}.handler(t)
	gone, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	cancel() // the client has gone: nothing to the function
	handler.ServeHTTP(discardWriter(), request(t, "GET /a").WithContext(gone))
	select {
	case child := <-seen:
		if child.Err() == nil {
			t.Error("a context outlives the function")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the context does not end with the function")
	}
}

// TestContextAfterTheEnd shows that a context which nobody asked before is over, too,
// once the function has returned.
func TestContextAfterTheEnd(t *testing.T) {
	for name, ask := range map[string]func(context.Context) error{
		"Err":  func(ctx context.Context) error { return ctx.Err() },
		"Done": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"a child": func(ctx context.Context) error {
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			return child.Err()
		},
	} {
		var kept context.Context
		stage{template: routes("GET /a"), function: func(_ http.ResponseWriter, r *http.Request) {
			kept = r.Context() //nolint:fatcontext // to see what becomes of it
		}}.handler(t).ServeHTTP(discardWriter(), request(t, "GET /a"))
		if err := ask(kept); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLateReader shows that a function which reads its body after its end gets an
// error, and not another request's body.
func TestLateReader(t *testing.T) {
	bodies := make(chan io.Reader, 1)
	addr := stage{template: routes("POST /a"), function: func(_ http.ResponseWriter, r *http.Request) { bodies <- r.Body }}.start(t)
	send(t, addr, "POST /a\nContent-Length: 5", "hello")
	if b, err := io.ReadAll(<-bodies); err == nil || len(b) != 0 {
		t.Errorf("read %q, %v", b, err)
	}
}
