package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory, so that a test's clock can be a false one.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5000} }

// inBubble runs a test against a gateway, with a clock that stands still while anybody
// works and jumps when all wait.
func inBubble(t *testing.T, s stage, test func(t *testing.T, dial func() net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := newPipes()
		server := &http.Server{Handler: s.handler(t)}
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		test(t, func() net.Conn {
			client, conn := net.Pipe()
			listener.conns <- conn
			t.Cleanup(func() { _ = client.Close() })
			return client
		})
		if err := server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

// ask sends a request and reads the answer, and tells how long that took.
func ask(t *testing.T, conn net.Conn, head string) (result, time.Duration) {
	t.Helper()
	start := time.Now()
	if _, err := io.WriteString(conn, wire(head)); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(head, " ")
	got := read(t, bufio.NewReader(conn), method)
	return got, time.Since(start)
}

// timed is a function with a time-out of its own, behind one route, or one route with
// one of the gateway's.
func timed(function, integration string) string {
	text := "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: functions/f/bootstrap\n      Timeout: " + function +
		"\n      Events:\n        E: {Type: HttpApi, Properties: {Method: GET, Path: /a"
	if integration != "" {
		text += ", TimeoutInMillis: " + integration
	}
	return text + "}}\n"
}

const unavailable = `{"message":"Service Unavailable"}`

func TestTimeouts(t *testing.T) {
	for _, c := range []struct {
		name, function, integration string
		works                       time.Duration // how long the function takes
		isolated                    bool
		after                       time.Duration // when the client has its answer
		status                      int
		body                        string
	}{
		{"in time", "3", "", 2900 * time.Millisecond, false, 2900 * time.Millisecond, 200, "done"},
		{"over its own time", "3", "", 5 * time.Second, false, 3 * time.Second, 500, failed},
		{"over its own time, and the gateway's later", "20", "", 40 * time.Second, false, 20 * time.Second, 500, failed},
		{"over the gateway's time", "60", "", 45 * time.Second, false, 30 * time.Second, 503, unavailable},
		{"over a shorter time of the gateway's", "3", "50", time.Second, false, 50 * time.Millisecond, 503, unavailable},
		{"both at once", "30", "", 40 * time.Second, false, 30 * time.Second, 500, failed},
		{"a process sees to its own time", "3", "", 5 * time.Second, true, 5 * time.Second, 200, "done"},
		{"a process and the gateway's time", "3", "", 45 * time.Second, true, 30 * time.Second, 503, unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log lines
			var finished chan error // of the bubble
			s := stage{template: timed(c.function, c.integration), isolated: c.isolated, log: &log, function: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Early", "1")
				w.WriteHeader(202)
				<-time.After(c.works)
				w.WriteHeader(418)
				w.Header().Set("X-Late", "1")
				_, err := io.WriteString(w, "done")
				finished <- err
			}}
			if c.status == 200 {
				s.function = func(w http.ResponseWriter, _ *http.Request) {
					<-time.After(c.works)
					_, err := io.WriteString(w, "done")
					finished <- err
				}
			}
			inBubble(t, s, func(t *testing.T, dial func() net.Conn) {
				finished = make(chan error, 1)
				conn := dial()
				got, after := ask(t, conn, "GET /a")
				if after != c.after {
					t.Errorf("answered after %s, want %s", after, c.after)
				}
				if c.status == 200 {
					if got.status != 200 || got.body != c.body {
						t.Errorf("got %+v", got)
					}
				} else {
					got.is(t, c.status, c.body)
					if got.header.Get("X-Early") != "" || got.header.Get("X-Function") != "" {
						t.Errorf("headers of the function: %v", got.header)
					}
					if !got.closes {
						t.Error("the client may send its next request to a connection that is taken")
					}
				}
				if err := <-finished; err != nil { // it goes on, and notices nothing
					t.Errorf("the function's write: %v", err)
				}
				synctest.Wait()
				if late := strings.Contains(log.String(), "time-out"); late != (c.status != 200) {
					t.Errorf("the log: %s", log.String())
				}
			})
		})
	}
}

// TestReturningAtTheEndOfContext shows that a function which gives up in time for nobody
// does not come before the time-out's answer. Which of the two is first is chance.
func TestReturningAtTheEndOfContext(t *testing.T) {
	for range 50 {
		inBubble(t, stage{template: timed("3", ""), function: func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			_, _ = io.WriteString(w, "done")
		}}, func(t *testing.T, dial func() net.Conn) {
			got, after := ask(t, dial(), "GET /a")
			got.is(t, 500, failed)
			if after != 3*time.Second || !got.closes {
				t.Errorf("answered after %s, the connection closes: %t", after, got.closes)
			}
		})
	}
}

// TestEndOfContext shows when a function's context ends, by what it can hear of it.
func TestEndOfContext(t *testing.T) {
	type ways map[string]func(context.Context) error
	for name, wait := range (ways{
		"Done": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"a child": func(ctx context.Context) error {
			child, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			<-child.Done()
			return child.Err()
		},
		"AfterFunc": func(ctx context.Context) error {
			ended := make(chan struct{})
			context.AfterFunc(ctx, func() { close(ended) })
			<-ended
			return ctx.Err()
		},
		"Err": func(ctx context.Context) error {
			for ctx.Err() == nil {
				<-time.After(100 * time.Millisecond)
			}
			return ctx.Err()
		},
		"Err of a child, asked late": func(ctx context.Context) error {
			<-time.After(4 * time.Second)
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			return child.Err()
		},
	}) {
		for _, integration := range []string{"", "1000"} { // and the answer was given before
			t.Run(name+" "+integration, func(t *testing.T) {
				var ended chan error
				inBubble(t, stage{template: timed("3", integration), function: func(_ http.ResponseWriter, r *http.Request) {
					start := time.Now()
					err := wait(r.Context())
					if took := time.Since(start); took < 3*time.Second || took > 4*time.Second {
						t.Errorf("it ended after %s, and the function has 3 s", took)
					}
					ended <- err
				}}, func(t *testing.T, dial func() net.Conn) {
					ended = make(chan error, 1)
					ask(t, dial(), "GET /a")
					if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("it ended with %v", err)
					}
				})
			})
		}
	}
}

// TestSlowBody shows that a function's time does not run while its client sends.
func TestSlowBody(t *testing.T) {
	inBubble(t, stage{template: strings.Replace(timed("3", ""), "GET", "POST", 1), function: func(w http.ResponseWriter, r *http.Request) {
		<-time.After(2 * time.Second)
		ok(w, r)
	}}, func(t *testing.T, dial func() net.Conn) {
		conn := dial()
		_, _ = io.WriteString(conn, wire("POST /a\nContent-Length: 2")+"h")
		<-time.After(20 * time.Second)
		_, _ = io.WriteString(conn, "i")
		if got := read(t, bufio.NewReader(conn), "POST"); got.status != 200 {
			t.Errorf("got %+v", got)
		}
	})
}

// TestManyTimeouts lets calls that come one after the other end in all orders.
func TestManyTimeouts(t *testing.T) {
	inBubble(t, stage{template: timed("3", ""), function: func(w http.ResponseWriter, r *http.Request) {
		works, err := time.ParseDuration(r.Header.Get("X-Works"))
		if err != nil {
			panic(err)
		}
		<-time.After(works)
		ok(w, r)
	}}, func(t *testing.T, dial func() net.Conn) {
		var group sync.WaitGroup
		for i, works := range []string{"1s", "5s", "2s", "10s", "0s", "4s", "2900ms", "3100ms", "1ms", "6s"} {
			<-time.After(time.Duration(i) * 300 * time.Millisecond)
			group.Go(func() {
				got, after := ask(t, dial(), "GET /a\nX-Works: "+works)
				want, _ := time.ParseDuration(works)
				status := 200
				if want > 3*time.Second {
					want, status = 3*time.Second, 500
				}
				if got.status != status || after != want {
					t.Errorf("%s: %d after %s", works, got.status, after)
				}
			})
		}
		group.Wait()
	})
}
