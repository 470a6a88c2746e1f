package gateway_test

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-api/tandem/localhost/gateway"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
)

// The tests are at the wire: a gateway over a template, requests as bytes on a
// connection, and the bytes that come back.

// stage is a gateway under test.
type stage struct {
	template string
	function http.HandlerFunc // behind every route
	isolated bool
	throttle bool
	log      io.Writer
	invoke   lambda.Invoke // runs the events of every function
	edits    func(*template.Function) int64
	keys     map[string]string // of issuers
}

// handler returns the gateway. The function's logical id stands in X-Function.
func (s stage) handler(t testing.TB) http.Handler {
	t.Helper()
	read, err := template.Parse("template.yaml", []byte(s.template), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := gateway.Options{Template: read, Isolated: s.isolated, Throttle: s.throttle, Edits: s.edits, Keys: s.keys, Handler: func(f *template.Function) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Function", f.LogicalID)
			s.function(w, r)
		}), nil
	}}
	if s.invoke != nil {
		o.Invoke = func(*template.Function) lambda.Invoke { return s.invoke }
	}
	if s.log != nil {
		o.Log = slog.New(slog.NewTextHandler(s.log, nil))
	}
	g, err := gateway.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// start serves it on a port of its own, and returns the address.
func (s stage) start(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(s.handler(t))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// routes makes a template with a function for each route, named A, B, C…
func routes(keys ...string) string {
	var b strings.Builder
	b.WriteString("Resources:\n")
	for i, key := range keys {
		name := string(rune('A' + i))
		b.WriteString("  " + name + ":\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: functions/" + strings.ToLower(name) + "/bootstrap\n      Events:\n        Event:\n          Type: HttpApi\n")
		if method, path, ok := strings.Cut(key, " "); ok {
			b.WriteString("          Properties: {Method: " + method + ", Path: '" + path + "'}\n")
		}
	}
	return b.String()
}

// result is an answer from the wire.
type result struct {
	status int
	header http.Header
	body   string
	closes bool // the connection is good for no other request
}

// dial opens a connection that the test closes at its end.
func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// send sends a request, whose lines end in \n here and in \r\n on the wire, and reads
// the answer. A request without a Host gets one.
func send(t testing.TB, addr, head string, body ...string) result {
	t.Helper()
	conn := dial(t, addr)
	if _, err := conn.Write([]byte(wire(head) + strings.Join(body, ""))); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(head, " ")
	return read(t, bufio.NewReader(conn), method)
}

func wire(head string) string {
	if !strings.Contains(head, " HTTP/1.") {
		line, rest, _ := strings.Cut(head, "\n")
		head = strings.TrimSuffix(line+" HTTP/1.1\n"+rest, "\n")
	}
	if !strings.Contains(head, "\nHost:") {
		head += "\nHost: api.example.com:8080"
	}
	return strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n"
}

func read(t testing.TB, in *bufio.Reader, method string) result {
	t.Helper()
	answer, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("read the answer: %v", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("read the body: %v", err)
	}
	return result{answer.StatusCode, answer.Header, string(body), answer.Close}
}

// is holds an answer against the gateway's own answers.
func (r result) is(t testing.TB, status int, body string) {
	t.Helper()
	if r.status != status || r.body != body {
		t.Errorf("got %d %q, want %d %q", r.status, r.body, status, body)
	}
	if got := r.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content-type: %q", got)
	}
	if id := r.header.Get("Apigw-Requestid") + r.header.Get("X-Amzn-Requestid"); len(id) != 16 {
		t.Errorf("apigw-requestid: %q", id)
	}
}

// ok is a function that answers with what it is asked for.
func ok(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, r.Method+" "+r.URL.Path)
}

// lines is a log that a test can wait for.
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

func reader(conn net.Conn) *bufio.Reader { return bufio.NewReader(conn) }

// request reads a request as a server does.
func request(t testing.TB, head string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire(head))))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "192.0.2.1:1234"
	return r
}

func discardWriter() http.ResponseWriter { return httptest.NewRecorder() }
