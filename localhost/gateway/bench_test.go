package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/localhost/gateway"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

// foo is a function as ours are, with their middleware.
func foo(tb testing.TB) http.Handler {
	f := function.Function{Name: "foo", Routes: func(app *function.App, r chi.Router) error {
		r.Get("/v{version}/foo", app.Handle(func(w http.ResponseWriter, r *http.Request) error {
			return function.JSON(w, http.StatusOK, map[string]any{"hello": "world", "count": 7, "version": function.Param(r, "version")})
		}))
		return nil
	}}
	c, err := config.FromEnv(func(string) (string, bool) { return "", false })
	if err != nil {
		tb.Fatal(err)
	}
	h, err := f.Handler(function.New(c, io.Discard))
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func trivial(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }

// stages are the two ways to serve each function: chi alone, and behind the gateway.
func stages(tb testing.TB) map[string]http.Handler {
	alone := func(pattern string, h http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Method("GET", pattern, h)
		return r
	}
	behind := func(pattern string, h http.Handler) http.Handler {
		t, err := template.Parse("template.yaml", []byte(routes("GET "+pattern)), template.Options{})
		if err != nil {
			tb.Fatal(err)
		}
		g, err := gateway.New(gateway.Options{Template: t, Handler: func(*template.Function) (http.Handler, error) { return h, nil }})
		if err != nil {
			tb.Fatal(err)
		}
		return g
	}
	return map[string]http.Handler{
		"foo/chi":         alone("/v{version}/foo", foo(tb)),
		"foo/gateway":     behind("/v{version}/foo", foo(tb)),
		"trivial/chi":     alone("/trivial", http.HandlerFunc(trivial)),
		"trivial/gateway": behind("/trivial", http.HandlerFunc(trivial)),
	}
}

var stageNames = []string{"foo/chi", "foo/gateway", "trivial/chi", "trivial/gateway"}

func target(name string) string {
	if name[:3] == "foo" {
		return "/v1/foo"
	}
	return "/trivial"
}

// BenchmarkHandler is the cost of a request without the network.
func BenchmarkHandler(b *testing.B) {
	all := stages(b)
	for _, name := range stageNames {
		b.Run(name, func(b *testing.B) {
			h := all[name]
			r := httptest.NewRequest("GET", target(name), nil)
			b.ReportAllocs()
			for b.Loop() {
				r.Header = http.Header{"User-Agent": {"bench"}}
				h.ServeHTTP(&discard{header: http.Header{}}, r)
			}
		})
	}
}

// discard is a ResponseWriter that costs nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkServer is a request over loopback, each on a connection that is kept.
func BenchmarkServer(b *testing.B) {
	all := stages(b)
	for _, name := range stageNames {
		b.Run(name, func(b *testing.B) {
			server := httptest.NewServer(all[name])
			defer server.Close()
			request := []byte("GET " + target(name) + " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")
			b.ReportAllocs()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				conn, err := net.Dial("tcp", server.Listener.Addr().String())
				if err != nil {
					b.Error(err)
					return
				}
				defer conn.Close()
				in := bufio.NewReader(conn)
				for pb.Next() {
					if _, err := conn.Write(request); err != nil {
						b.Error(err)
						return
					}
					answer, err := http.ReadResponse(in, nil)
					if err != nil || answer.StatusCode != http.StatusOK {
						b.Error(answer, err)
						return
					}
					_, _ = io.Copy(io.Discard, answer.Body)
					_ = answer.Body.Close()
				}
			})
		})
	}
}

// many is a template of n functions, each with two routes.
func many(n int) string {
	var b strings.Builder
	b.WriteString("Resources:\n")
	for i := range n {
		fmt.Fprintf(&b, `  F%[1]d:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/f%[1]d/bootstrap
      Events:
        Get: {Type: HttpApi, Properties: {Method: GET, Path: "/f%[1]d/{id}"}}
        Post: {Type: HttpApi, Properties: {Method: POST, Path: /f%[1]d}}
`, i)
	}
	return b.String()
}

// BenchmarkStart is what 200 functions cost at the start: the template read, the
// routes built.
func BenchmarkStart(b *testing.B) {
	text := many(200)
	for b.Loop() {
		stage{template: text, function: trivial}.handler(b)
	}
}

// BenchmarkRoutes shows that a request costs the same whatever the number of routes.
func BenchmarkRoutes(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			h := stage{template: many(n), function: trivial}.handler(b)
			r := httptest.NewRequest("GET", fmt.Sprintf("/f%d/7", n/2), nil)
			b.ReportAllocs()
			for b.Loop() {
				r.Header = http.Header{}
				h.ServeHTTP(&discard{header: http.Header{}}, r)
			}
		})
	}
}

// BenchmarkEvent makes the event of a request, as each has one in a process of its
// own.
func BenchmarkEvent(b *testing.B) {
	h := stage{template: routes("POST /v{version}/foo"), function: func(_ http.ResponseWriter, r *http.Request) {
		if _, err := gateway.Event(r); err != nil {
			b.Error(err)
		}
	}}.handler(b)
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/v1/foo?a=b", strings.NewReader(`{"hello":"world"}`))
		r.Header.Set("Content-Type", "application/json")
		h.ServeHTTP(&discard{header: http.Header{}}, r)
	}
}
