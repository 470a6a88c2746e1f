package gateway_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// failed is what a function that has failed gets.
const failed = `{"message":"Internal Server Error"}`

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name, line string
		function   http.HandlerFunc
		status     int
		header     map[string]string // "-": absent
		body       string
	}{
		{"nothing is written", "GET", func(http.ResponseWriter, *http.Request) {}, 200, map[string]string{"Content-Length": "0", "Content-Type": "-"}, ""},
		{"a status alone", "GET", status(201), 201, map[string]string{"Content-Length": "0"}, ""},
		{"text", "GET", says("hello"), 200, map[string]string{"Content-Length": "5", "Content-Type": "text/plain; charset=utf-8"}, "hello"},
		{"HTML is recognised", "GET", says("<html>", "x"), 200, map[string]string{"Content-Type": "text/html; charset=utf-8"}, "<html>x"},
		{"a type that is set", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "<html>")
		}, 200, map[string]string{"Content-Type": "application/json"}, "<html>"},
		{"no type on purpose", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = io.WriteString(w, "<html>")
		}, 200, map[string]string{"Content-Type": "-"}, "<html>"},
		{"the first status counts", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(202)
			w.WriteHeader(418)
		}, 202, nil, ""},
		{"headers after the head are too late", "GET", func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h.Set("X-Early", "1")
			_, _ = io.WriteString(w, "x")
			h.Set("X-Late", "1")
			h.Set("X-Early", "2")
			h.Del("X-Early")
		}, 200, map[string]string{"X-Early": "1", "X-Late": "-"}, "x"},
		{"an early hint is no answer", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			_, _ = io.WriteString(w, "x")
		}, 200, nil, "x"},
		{"a header twice", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Link", "<a>")
			w.Header().Add("Link", "<b>")
		}, 200, map[string]string{"Link": "<a>,<b>"}, ""},
		{"cookies", "GET", func(w http.ResponseWriter, _ *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
			http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
		}, 200, map[string]string{"Set-Cookie": "a=1|b=2"}, ""},
		{"headers between two machines", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			w.Header().Set("Keep-Alive", "timeout=5")
			w.Header().Set("Trailer", "X-Late")
			w.Header().Set(http.TrailerPrefix+"X-Later", "1")
			_, _ = io.WriteString(w, "x")
			w.Header().Set("X-Late", "1")
		}, 200, map[string]string{"Connection": "-", "Keep-Alive": "-", "Trailer": "-", "X-Late": "-", "X-Later": "-"}, "x"},
		{"a header in another case", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["x-lower"] = []string{"1"}
		}, 200, map[string]string{"X-Lower": "1"}, ""},
		{"HEAD has the length and no body", "HEAD", says("hello"), 200, map[string]string{"Content-Length": "5"}, ""},
		{"HEAD of an announced length", "HEAD", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "12345") }, 200, map[string]string{"Content-Length": "12345"}, ""},
		{"HEAD of nothing", "HEAD", func(http.ResponseWriter, *http.Request) {}, 200, map[string]string{"Content-Length": "-"}, ""},
		{"204 has no body", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			if _, err := io.WriteString(w, "x"); !errors.Is(err, http.ErrBodyNotAllowed) {
				panic(err)
			}
		}, 204, map[string]string{"Content-Length": "-"}, ""},
		{"304 has none either", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"x"`)
			w.WriteHeader(http.StatusNotModified)
		}, 304, map[string]string{"Content-Length": "-", "Etag": `"x"`}, ""},
		{"a flush fixes the type", "GET", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "plain")
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, "<html>")
		}, 200, map[string]string{"Content-Type": "text/plain; charset=utf-8", "Content-Length": "11"}, "plain<html>"},
		{"a flush fixes the head", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			w.WriteHeader(418)
			w.Header().Set("X-Late", "1")
		}, 200, map[string]string{"X-Late": "-"}, ""},
		{"ReadFrom", "GET", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("hello"))
		}, 200, nil, "hello"},
		{"a length that is right", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2")
			_, _ = io.WriteString(w, "hi")
		}, 200, map[string]string{"Content-Length": "2"}, "hi"},
		{"a problem of the function's own", "GET", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) }, 418, nil, "no\n"},

		{"a panic that nobody caught", "GET", func(http.ResponseWriter, *http.Request) { panic("oh") }, 500, map[string]string{"X-Function": "-"}, failed},
		{"an aborted answer", "GET", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			panic(http.ErrAbortHandler)
		}, 500, map[string]string{"X-Function": "-", "Content-Type": "application/json"}, failed},
		{"an impossible status", "GET", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(99) }, 500, nil, failed},
		{"a status that HTTP does not have", "GET", status(999), 500, nil, failed},
		{"a change of protocol", "GET", status(http.StatusSwitchingProtocols), 500, nil, failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := stage{template: routes("ANY /a"), function: c.function}.start(t)
			got := send(t, addr, c.line+" /a")
			if got.status != c.status || got.body != c.body {
				t.Errorf("got %d %q, want %d %q", got.status, got.body, c.status, c.body)
			}
			for name, want := range c.header {
				value := strings.Join(got.header.Values(name), "|")
				if len(got.header.Values(name)) == 0 {
					value = "-"
				}
				if value != want {
					t.Errorf("%s is %q, want %q", name, value, want)
				}
			}
			if got.header.Get("Apigw-Requestid") == "" {
				t.Error("no apigw-requestid")
			}
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func says(parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, p := range parts {
			_, _ = io.WriteString(w, p)
		}
	}
}

// TestWrongLengths shows that an answer which is not as long as it says is a fault of
// the function's, as on Lambda.
func TestWrongLengths(t *testing.T) {
	for _, length := range []string{"1", "100"} {
		addr := stage{template: routes("GET /a"), function: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", length)
			_, _ = io.WriteString(w, "hello")
		}}.start(t)
		got := send(t, addr, "GET /a")
		if got.status != 500 || got.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(got.body, `"requestId":"`+got.header.Get("Apigw-Requestid")) {
			t.Errorf("a Content-Length of %s for 5 bytes: %+v", length, got)
		}
	}
}

// TestGoexit shows that a function which ends its goroutine has failed.
func TestGoexit(t *testing.T) {
	addr := stage{template: routes("GET /a"), function: func(http.ResponseWriter, *http.Request) { runtime.Goexit() }}.start(t)
	send(t, addr, "GET /a").is(t, 500, failed)
}

// TestLateWriter shows that what a function writes after its end is dropped, and
// reaches no other request.
func TestLateWriter(t *testing.T) {
	var late sync.WaitGroup
	stop := make(chan struct{})
	addr := stage{template: routes("GET /a", "GET /b"), function: func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.URL.Path)
		if r.URL.Path == "/a" {
			late.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						w.Header().Set("X-Late", "1")
						w.WriteHeader(418)
						_, _ = io.WriteString(w, "late")
						runtime.Gosched()
					}
				}
			})
		}
	}}.start(t)
	send(t, addr, "GET /a")
	for range 200 {
		if got := send(t, addr, "GET /b"); got.body != "/b" || got.header.Get("X-Late") != "" {
			t.Fatalf("%+v", got)
		}
	}
	close(stop)
	late.Wait()
}

// TestKeptConnections shows that one connection serves request after request, whatever
// became of the one before.
func TestKeptConnections(t *testing.T) {
	addr := stage{template: routes("ANY /a"), function: func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			panic("oh")
		}
		_, _ = io.WriteString(w, r.Method)
	}}.start(t)
	conn := dial(t, addr)
	in := bufio.NewReader(conn)
	for _, c := range []struct {
		head, body string
		status     int
	}{
		{"GET /a", "", 200}, {"POST /a\nContent-Length: 5", "hello", 200}, {"DELETE /a", "", 500}, {"GET /b", "", 404},
		{"POST /b\nContent-Length: 5", "hello", 404}, {"HEAD /a", "", 200}, {"PUT /a\nTransfer-Encoding: chunked", "1\r\na\r\n0\r\n\r\n", 200}, {"GET /a", "", 200},
	} {
		if _, err := io.WriteString(conn, wire(c.head)+c.body); err != nil {
			t.Fatal(err)
		}
		method, _, _ := strings.Cut(c.head, " ")
		if got := read(t, in, method); got.status != c.status {
			t.Fatalf("%s: %+v", c.head, got)
		}
	}
}

// TestManyAtOnce sends requests of all kinds at the same time, and expects each
// answer to be that of its own request.
func TestManyAtOnce(t *testing.T) {
	addr := stage{template: routes("ANY /{path+}"), function: func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Path", r.URL.Path)
		_, _ = w.Write(body)
	}}.start(t)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			conn := dial(t, addr)
			in := bufio.NewReader(conn)
			for n := range 100 {
				path, body := fmt.Sprintf("/%d/%d", i, n), strings.Repeat(string(rune('a'+i)), n*10)
				if _, err := io.WriteString(conn, wire(fmt.Sprintf("POST %s\nContent-Length: %d", path, len(body)))+body); err != nil {
					t.Error(err)
					return
				}
				answer, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Error(err)
					return
				}
				got, _ := io.ReadAll(answer.Body)
				_ = answer.Body.Close()
				if string(got) != body || answer.Header.Get("X-Path") != path {
					t.Errorf("%s got the answer of %s", path, answer.Header.Get("X-Path"))
				}
			}
		})
	}
	group.Wait()
}
