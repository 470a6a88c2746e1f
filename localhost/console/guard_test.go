package console_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-api/tandem/localhost/console"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

// request is what a server would hand over for this caller. The zero values are those
// of a browser on this machine that opens http://127.0.0.1:5000/internal/.
type request struct {
	method, path string
	remote, host string
	http10       bool
	header       map[string]string
	password     string
}

func (q request) build() *http.Request {
	or := func(v, fallback string) string {
		if v == "" {
			return fallback
		}
		return v
	}
	r := httptest.NewRequest(or(q.method, "GET"), or(q.path, "/internal/asynq/api/queues"), nil)
	r.RemoteAddr = or(q.remote, "127.0.0.1:40000")
	r.Host = strings.TrimPrefix(or(q.host, "127.0.0.1:5000"), "none")
	if q.http10 {
		r.Proto, r.ProtoMinor = "HTTP/1.0", 0
	}
	for k, v := range q.header {
		r.Header.Set(k, v)
	}
	if q.password != "" {
		r.SetBasicAuth("anyone", q.password)
	}
	return r
}

const pauseQueue = "/internal/asynq/api/queues/default:pause"

func TestGuardWithoutPassword(t *testing.T) {
	m := apptest.Redis(t)
	c := settings(m.Addr())
	c.Addr = "Desk.example:5000"
	h := newHandler(t, c, console.Options{})
	for _, c := range []struct {
		name string
		request
		status int
	}{
		{"this machine", request{}, 200},
		{"this machine, over IPv6", request{remote: "[::1]:40000", host: "[::1]:5000"}, 200},
		{"this machine, IPv4 in IPv6", request{remote: "[::ffff:127.0.0.1]:40000"}, 200},
		{"another loopback address", request{remote: "127.8.8.8:40000", host: "127.8.8.8:5000"}, 200},
		{"another machine", request{remote: "192.0.2.1:40000"}, 403},
		{"another machine of the same network", request{remote: "10.0.0.7:40000"}, 403},
		{"another machine, over IPv6", request{remote: "[2001:db8::1]:40000"}, 403},
		{"another machine, IPv4 in IPv6", request{remote: "[::ffff:192.0.2.1]:40000"}, 403},
		{"a link-local neighbour", request{remote: "[fe80::1%eth0]:40000"}, 403},
		{"no address at all", request{remote: "@"}, 403},

		{"the name localhost", request{host: "localhost:5000"}, 200},
		{"localhost without a port", request{host: "localhost"}, 200},
		{"localhost in capitals, as a full name", request{host: "LOCALHOST.:5000"}, 200},
		{"a name under localhost", request{host: "tandem.localhost:5000"}, 200},
		{"the name that we listen on", request{host: "desk.example:5000"}, 200},
		{"a name bound to this machine by someone else", request{host: "evil.example:5000"}, 403},
		{"a name that ends like localhost", request{host: "evillocalhost:5000"}, 403},
		{"a name that begins like localhost", request{host: "localhost.evil.example"}, 403},
		{"a name that begins like a loopback address", request{host: "127.0.0.1.evil.example"}, 403},
		{"an address that is not loopback", request{host: "192.0.2.9:5000"}, 403},
		{"the address of every interface", request{host: "0.0.0.0:5000"}, 403},
		{"no host", request{host: "none"}, 403},

		{"a proxy that says so", request{header: map[string]string{"X-Forwarded-For": "192.0.2.1"}}, 403},
		{"a proxy that claims this machine", request{header: map[string]string{"X-Forwarded-For": "127.0.0.1"}}, 403},
		{"a proxy that says so in the standard way", request{header: map[string]string{"Forwarded": "for=192.0.2.1"}}, 403},
		{"a proxy that names the host", request{header: map[string]string{"X-Forwarded-Host": "api.example"}}, 403},
		{"a proxy with X-Real-IP", request{header: map[string]string{"X-Real-IP": "192.0.2.1"}}, 403},
		{"a proxy that names itself", request{header: map[string]string{"Via": "1.1 proxy"}}, 403},
		{"a proxy with an empty header", request{header: map[string]string{"X-Forwarded-For": ""}}, 403},
		{"nginx with its defaults", request{http10: true}, 403},

		{"the overview from another machine", request{path: "/internal/", remote: "192.0.2.1:40000"}, 403},
		{"a file from another machine", request{path: "/internal/static/console.css", remote: "192.0.2.1:40000"}, 403},
		{"the metrics from another machine", request{path: "/internal/metrics", remote: "192.0.2.1:40000"}, 403},
		{"a redirect from another machine", request{path: "/internal/rq", remote: "192.0.2.1:40000"}, 403},
		{"what is not there, from another machine", request{path: "/internal/nothing", remote: "192.0.2.1:40000"}, 403},
		{"an action from another machine", request{method: "POST", path: pauseQueue, remote: "192.0.2.1:40000"}, 403},
	} {
		t.Run(c.name, func(t *testing.T) { wantStatus(t, h, c.request, c.status) })
	}
}

func TestGuardWithPassword(t *testing.T) {
	m := apptest.Redis(t)
	c := settings(m.Addr())
	c.InternalPassword = "correct horse"
	h := newHandler(t, c, console.Options{})
	for _, c := range []struct {
		name string
		request
		status int
	}{
		{"this machine without it", request{}, 401},
		{"this machine with it", request{password: "correct horse"}, 200},
		{"another machine with it", request{remote: "192.0.2.1:40000", password: "correct horse"}, 200},
		{"another machine without it", request{remote: "192.0.2.1:40000"}, 401},
		{"through a proxy, with it", request{host: "api.example", header: map[string]string{"X-Forwarded-For": "192.0.2.1"}, password: "correct horse"}, 200},
		{"through nginx with its defaults, with it", request{http10: true, password: "correct horse"}, 200},
		{"a wrong one", request{password: "correct horse "}, 401},
		{"a part of it", request{password: "correct"}, 401},
		{"another scheme", request{header: map[string]string{"Authorization": "Bearer correct horse"}}, 401},
		{"broken base64", request{header: map[string]string{"Authorization": "Basic %%%"}}, 401},
		{"the overview without it", request{path: "/internal/"}, 401},
		{"a file without it", request{path: "/internal/static/console.css"}, 401},
		{"an action without it", request{method: "POST", path: pauseQueue}, 401},
		{"an action with it", request{method: "POST", path: pauseQueue, password: "correct horse"}, 204},
		{"a foreign page's action, with it", request{method: "POST", path: pauseQueue, password: "correct horse",
			header: map[string]string{"Origin": "https://evil.example"}}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.status == 204 {
				_, _ = m.SAdd("asynq:queues", "default")
				m.Del("asynq:{default}:paused")
			}
			a := wantStatus(t, h, c.request, c.status)
			challenge := a.header.Get("WWW-Authenticate")
			if (c.status == 401) != strings.HasPrefix(challenge, "Basic realm=") {
				t.Errorf("status %d with WWW-Authenticate %q", c.status, challenge)
			}
		})
	}
}

// Pages of other origins may not change anything, whoever looks at them.
func TestGuardOrigins(t *testing.T) {
	m := apptest.Redis(t)
	h := newHandler(t, settings(m.Addr()), console.Options{})
	for _, c := range []struct {
		name, method string
		header       map[string]string
		allowed      bool
	}{
		{"a program without an origin", "POST", nil, true},
		{"our own page", "POST", map[string]string{"Origin": "http://127.0.0.1:5000", "Sec-Fetch-Site": "same-origin"}, true},
		{"our own page in an old browser", "POST", map[string]string{"Origin": "http://127.0.0.1:5000"}, true},
		{"the user, by hand", "POST", map[string]string{"Sec-Fetch-Site": "none"}, true},
		{"a foreign page", "POST", map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, false},
		{"a foreign page in an old browser", "POST", map[string]string{"Origin": "https://evil.example"}, false},
		{"a foreign page that hides its origin", "POST", map[string]string{"Origin": "null"}, false},
		{"another port of this machine", "POST", map[string]string{"Origin": "http://127.0.0.1:3000", "Sec-Fetch-Site": "same-site"}, false},
		{"a foreign page that deletes", "DELETE", map[string]string{"Origin": "https://evil.example"}, false},
		{"a foreign page that puts", "PUT", map[string]string{"Origin": "https://evil.example"}, false},
		{"a foreign page that only reads, and sees nothing of it", "GET", map[string]string{"Origin": "https://evil.example"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m.FlushAll()
			_, _ = m.SAdd("asynq:queues", "default")
			a := send(h, request{method: c.method, path: pauseQueue, header: c.header})
			if refused := a.status == http.StatusForbidden; refused == c.allowed {
				t.Errorf("status %d, want allowed=%v", a.status, c.allowed)
			}
			if done := m.Exists("asynq:{default}:paused"); done != (c.allowed && c.method == "POST") {
				t.Errorf("the queue is paused: %v", done)
			}
			if a.header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("another origin may read the answer")
			}
		})
	}
}

// Whoever guesses has to wait after ten wrong passwords in a minute, and only he.
func TestGuardSlowsGuessing(t *testing.T) {
	var log strings.Builder
	c := settings("127.0.0.1:1") // where nothing is: no request here needs Redis
	c.InternalPassword, c.LogLevel = "correct horse", slog.LevelWarn
	h, err := console.New(function.New(c, &log), console.Options{})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		const page = "/internal/static/console.css"
		guess := request{path: page, remote: "192.0.2.1:40000", password: "battery staple"}
		know := request{path: page, remote: "192.0.2.1:50000", password: "correct horse"}
		for range 9 {
			wantStatus(t, h, guess, 401)
		}
		wantStatus(t, h, know, 200) // and the count begins anew
		for range 10 {
			wantStatus(t, h, guess, 401)
		}
		a := wantStatus(t, h, guess, 429)
		if got := a.header.Get("Retry-After"); got != "60" {
			t.Errorf("Retry-After %q, want 60", got)
		}
		wantStatus(t, h, know, 429)
		know.remote = "192.0.2.2:40000"
		wantStatus(t, h, know, 200)
		time.Sleep(time.Minute) //nolint:forbidigo // the bubble's clock
		wantStatus(t, h, guess, 401)

		// One host has a whole /64 of IPv6 addresses.
		for i := range 10 {
			guess.remote = "[2001:db8::" + string(rune('a'+i%6)) + "]:40000"
			wantStatus(t, h, guess, 401)
		}
		wantStatus(t, h, guess, 429)
		if text := log.String(); strings.Count(text, "wrong password") != 30 || !strings.Contains(text, "192.0.2.1") ||
			strings.Contains(text, "battery staple") {
			t.Errorf("the log should tell each wrong password and whence it came, and not the password:\n%s", text)
		}
	})
}

func TestPasswordIsNowhere(t *testing.T) {
	m := apptest.Redis(t)
	c := settings(m.Addr())
	c.InternalPassword = config.Secret("correct horse")
	var log strings.Builder
	h, err := console.New(function.New(c, &log), console.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, password := range []string{"", "wrong", "correct horse"} {
		if a := send(h, request{path: "/internal/", password: password}); strings.Contains(a.body, "correct horse") {
			t.Error("the page shows the password")
		}
	}
	if strings.Contains(log.String(), "correct horse") {
		t.Error("the log shows the password")
	}
}

func send(h http.Handler, q request) answer {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q.build())
	return answer{w.Code, w.Header(), w.Body.String()}
}

func wantStatus(t *testing.T, h http.Handler, q request, status int) answer {
	t.Helper()
	a := send(h, q)
	if a.status != status {
		t.Errorf("status %d, want %d\n%s", a.status, status, a.body)
	}
	if status >= 400 {
		wantProblem(t, a, status)
		wantSecurityHeaders(t, a)
	}
	return a
}
