package gateway_test

import (
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const tooMany = `{"message":"Too Many Requests"}`

// TestReservedConcurrency fills a function's places, over all its routes.
func TestReservedConcurrency(t *testing.T) {
	const text = `
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      ReservedConcurrentExecutions: 2
      Timeout: 3
      Events:
        A: {Type: HttpApi, Properties: {Method: GET, Path: /a}}
        B: {Type: HttpApi, Properties: {Method: GET, Path: /b}}
  Off:
    Type: AWS::Serverless::Function
    Properties:
      ReservedConcurrentExecutions: 0
      Events:
        C: {Type: HttpApi, Properties: {Method: GET, Path: /c}}
`
	works := 2 * time.Second
	s := stage{template: text, function: func(w http.ResponseWriter, r *http.Request) {
		<-time.After(works)
		if r.Header.Get("X-Panic") != "" {
			panic("oh")
		}
		ok(w, r)
	}}
	inBubble(t, s, func(t *testing.T, dial func() net.Conn) {
		var group sync.WaitGroup
		busy := func(heads ...string) {
			for _, head := range heads {
				group.Go(func() {
					if got, _ := ask(t, dial(), head); got.status == 429 {
						t.Errorf("%s: %+v", head, got)
					}
				})
			}
			synctest.Wait()
		}
		full := func() {
			t.Helper()
			got, after := ask(t, dial(), "GET /a")
			got.is(t, 429, tooMany)
			if after != 0 {
				t.Errorf("refused after %s", after)
			}
		}
		busy("GET /a", "GET /b\nX-Panic: 1")
		full()
		group.Wait() // and their places are free again, the panicked one's too

		busy("GET /b", "GET /b")
		full()
		group.Wait()

		works = 10 * time.Second
		busy("GET /a", "GET /a")
		full()
		group.Wait() // at their time-out, where Lambda would have killed them
		busy("GET /a", "GET /a")
		group.Wait()

		got, _ := ask(t, dial(), "GET /c")
		got.is(t, 429, tooMany)
	})
}

func TestThrottling(t *testing.T) {
	text := "Globals: {HttpApi: {DefaultRouteSettings: {ThrottlingRateLimit: 2, ThrottlingBurstLimit: 3}}}\n" + routes("GET /a", "GET /b")
	inBubble(t, stage{template: text, function: ok, throttle: true}, func(t *testing.T, dial func() net.Conn) {
		conn := dial()
		statuses := func(line string, n int) (all []int) {
			for range n {
				got, _ := ask(t, conn, line)
				all = append(all, got.status)
				if got.status != 200 {
					got.is(t, 429, tooMany)
				}
			}
			return all
		}
		for _, c := range []struct {
			line string
			n    int
			ok   int
		}{
			{"GET /a", 5, 3}, // the burst
			{"GET /b", 1, 1}, // a route has its own
			{"", 0, 0},       // a second later, two more
			{"GET /a", 3, 2},
		} {
			if c.n == 0 {
				<-time.After(time.Second)
				continue
			}
			passed := 0
			for _, status := range statuses(c.line, c.n) {
				if status == 200 {
					passed++
				}
			}
			if passed != c.ok {
				t.Errorf("%s: %d of %d passed, want %d", c.line, passed, c.n, c.ok)
			}
		}
	})
}

// TestRatesThatAreNotAskedFor shows that the template's rates are for the deployed API.
func TestRatesThatAreNotAskedFor(t *testing.T) {
	addr := stage{template: "Globals: {HttpApi: {DefaultRouteSettings: {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 0}}}\n" + routes("GET /a"), function: ok}.start(t)
	if got := send(t, addr, "GET /a"); got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}
}
