package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/localhost/gateway"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

// fidelities serves one function twice: in this process, and by way of an event, as a
// process of its own would have it.
func fidelities(t testing.TB, text string, f function.Function) map[string]http.Handler {
	t.Helper()
	c, err := config.FromEnv(func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	app := function.New(c, io.Discard)
	h, err := f.Handler(app)
	if err != nil {
		t.Fatal(err)
	}
	read, err := template.Parse("template.yaml", []byte(text), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	both := map[string]http.Handler{}
	for name, target := range map[string]http.Handler{"in process": h, "by an event": byEvent(app, h)} {
		g, err := gateway.New(gateway.Options{Template: read, Isolated: name != "in process", Handler: func(*template.Function) (http.Handler, error) { return target, nil }})
		if err != nil {
			t.Fatal(err)
		}
		both[name] = g
	}
	return both
}

// byEvent makes an event of each request and hands it to the function's adapter, with
// JSON in between.
func byEvent(app *function.App, h http.Handler) http.Handler {
	adapted := lambdahttp.NewHandler(app, h, nil)
	return &lambda.Handler{Event: gateway.Event, Refuse: gateway.Refuse, Invoke: func(ctx context.Context, inv lambda.Invocation) (lambda.Result, error) {
		answer, err := adapted.Invoke(ctx, inv.Payload)
		if err != nil {
			return lambda.Result{FunctionError: "Unhandled", ErrorType: "errorString"}, nil //nolint:nilerr // a failed invocation is a result
		}
		return lambda.Result{Payload: answer}, nil
	}}
}

// mirror is a function that answers with what it sees, and in some other ways.
func mirror() function.Function {
	return function.Function{Name: "f", Routes: func(_ *function.App, r chi.Router) error {
		r.HandleFunc("/users/{id}", look)
		r.HandleFunc("/users/{id}/posts", look)
		r.Get("/says/nothing", func(http.ResponseWriter, *http.Request) {})
		r.HandleFunc("/says/html", says("<html>"))
		r.Get("/says/bytes", says("\x89PNG\r\n\x1a\n\xff"))
		r.Get("/says/no", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) })
		r.Get("/says/204", status(http.StatusNoContent))
		r.Get("/says/304", status(http.StatusNotModified))
		r.Get("/says/999", status(999))
		r.Get("/says/panic", func(http.ResponseWriter, *http.Request) { panic("oh") })
		r.Get("/says/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		r.Get("/says/cookies", func(w http.ResponseWriter, _ *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
			http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
			w.Header().Add("Link", "<a>; rel=next")
			w.Header().Add("Link", "\t<b>\r\nX-Forged: 1 ")
		})
		r.Get("/says/redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "../to?a=b", http.StatusSeeOther) })
		r.Get("/says/short", wrongLength("9"))
		r.Get("/says/long", wrongLength("1"))
		r.Get("/says/{n}/bytes", func(w http.ResponseWriter, r *http.Request) {
			var n int
			_, _ = fmt.Sscan(chi.URLParam(r, "n"), &n)
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, strings.Repeat("x", n))
		})
		r.HandleFunc("/*", look)
		return nil
	}}
}

var mirrorRoutes = routes("ANY /users/{id}", "ANY /users/{id}/posts", "ANY /{path+}")

// formats are the APIs that send each format of events: their routes, and their stage.
var formats = map[string]struct{ routes, stage string }{
	"2.0":        {mirrorRoutes, ""},
	"1.0":        {strings.ReplaceAll(mirrorRoutes, "Properties: {M", `Properties: {PayloadFormatVersion: "1.0", M`), ""},
	"a REST API": {strings.ReplaceAll(mirrorRoutes, "Type: HttpApi", "Type: Api"), "/Prod"},
}

// TestFidelities sends each request to both, and expects the same answer: what the
// function sees is a part of it.
func TestFidelities(t *testing.T) {
	addrs := map[string]string{}
	for format, api := range formats {
		for name, h := range fidelities(t, api.routes, mirror()) {
			server := httptest.NewServer(h)
			t.Cleanup(server.Close)
			addrs[name+format] = server.Listener.Addr().String()
		}
	}
	long := strings.Repeat("ä\"\n", 100_000)
	for _, c := range []struct{ name, head, body string }{
		{"plain", "GET /a", ""},
		{"the root", "GET /", ""},
		{"a query", "GET /a?b=c%20d&b=e+f&g&h=%zz&;", ""},
		{"a question mark alone", "GET /a?", ""},
		{"headers", "GET /a\nAccept: text/html\nAccept: */*\nX-Empty:\nX-Json: {\"a\": [1, 2]}\nStripe-Signature: t=1,v1=a", ""},
		{"cookies", "GET /a\nCookie: a=1; b=\"2,3\"\nCookie: c=x=y", ""},
		{"a proxy", "GET /a\nX-Forwarded-For: 192.0.2.1\nX-Forwarded-Proto: https", ""},
		{"a trace", "GET /a\nX-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678;Sampled=0", ""},
		{"between machines", "GET /a\nConnection: keep-alive\nTE: trailers\nUpgrade: h2c\nKeep-Alive: 1", ""},
		{"JSON", "POST /a\nContent-Type: application/json\nContent-Length: 10", `{"a":"ä"}`},
		{"a form", "POST /a\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 7", "a=1&b=2"},
		{"bytes", "PUT /a\nContent-Type: image/png\nContent-Length: 4", "\x89P\xff\x00"},
		{"no type", "PATCH /a\nContent-Length: 4", "text"},
		{"text that is none", "POST /a\nContent-Type: text/plain\nContent-Length: 2", "\xff\xfe"},
		{"chunks", "POST /a\nContent-Type: text/plain\nTransfer-Encoding: chunked", "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"},
		{"a long body", fmt.Sprintf("POST /a\nContent-Type: text/plain\nContent-Length: %d", len(long)), long},
		{"DELETE with a body", "DELETE /a\nContent-Type: text/plain\nContent-Length: 3", "why"},
		{"OPTIONS", "OPTIONS /a", ""},
		{"HTTP/1.0", "GET /a HTTP/1.0", ""},
		{"a variable", "GET /users/7", ""},
		{"a slash in a variable", "GET /users/a%2Fb", ""},
		{"a slash in a variable, and what needs no escape", "GET /users/%61%2fb%7E/posts", ""},
		{"a slash in a greedy variable", "GET /files/a%2Fb", ""},
		{"a comma, a colon, a plus", "GET /users/a,b:c+d;e=f@g&h$i!j*k(l)'m", ""},
		{"an escaped comma", "GET /users/a%2Cb", ""},
		{"a percent sign", "GET /users/100%25", ""},
		{"two of them", "GET /users/%2525", ""},
		{"a question mark and a hash", "GET /users/a%3Fb%23c", ""},
		{"a space", "GET /users/a%20b", ""},
		{"other letters", "GET /users/%C3%A4%E6%97%A5", ""},
		{"no UTF-8", "GET /users/%ff", ""},
		{"headers and a query that are no UTF-8", "GET /a?b=\xff\xc3\nX-Latin: Zo\xeb\xe9\nCookie: a=\xff", ""},
		{"a doubled slash", "GET //a//b", ""},
		{"dots", "GET /a/../b/./c", ""},
		{"a trailing slash", "GET /a/", ""},
		{"an escaped letter in a name", "GET /%75sers/7", ""},
		{"a greedy path with escapes", "GET /a%20b/c%2Cd,e", ""},
		{"a whole URL", "GET http://other.example/a?b=c", ""},

		{"nothing", "GET /says/nothing", ""},
		{"HTML", "GET /says/html", ""},
		{"HEAD", "HEAD /says/html", ""},
		{"bytes to the client", "GET /says/bytes", ""},
		{"an error", "GET /says/no", ""},
		{"204", "GET /says/204", ""},
		{"304", "GET /says/304", ""},
		{"a status that is none", "GET /says/999", ""},
		{"a panic", "GET /says/panic", ""},
		{"an aborted answer", "GET /says/abort", ""},
		{"cookies to the client", "GET /says/cookies", ""},
		{"a redirect", "GET /says/redirect", ""},
		{"a length that is too long", "GET /says/short", ""},
		{"a length that is too short", "GET /says/long", ""},
		{"a method that the function does not have", "PUT /says/204", ""},
		{"a long answer", "GET /says/6000000/bytes", ""},
		{"an answer that is too long", "GET /says/6291456/bytes", ""},
		{"one that is much too long", "GET /says/20000000/bytes", ""},
	} {
		for format, api := range formats {
			t.Run(c.name+"/"+format, func(t *testing.T) {
				method, target, _ := strings.Cut(c.head, " ")
				head := method + " " + api.stage + target
				if strings.HasPrefix(target, "http:") {
					head = strings.Replace(c.head, ".example/", ".example"+api.stage+"/", 1)
				}
				here := plain(t, send(t, addrs["in process"+format], head, c.body))
				there := plain(t, send(t, addrs["by an event"+format], head, c.body))
				if here.status != there.status || !maps.EqualFunc(here.header, there.header, equal) || here.body != there.body {
					t.Errorf("in process:  %d %v %.2000s\nby an event: %d %v %.2000s", here.status, here.header, here.body, there.status, there.header, there.body)
				}
			})
		}
	}
}

func equal(a, b []string) bool { return strings.Join(a, "|") == strings.Join(b, "|") }

// plain takes out what is another in each request.
func plain(t testing.TB, r result) result {
	t.Helper()
	id := r.header.Get("Apigw-Requestid") + r.header.Get("X-Amzn-Requestid")
	r.header.Del("Apigw-Requestid")
	r.header.Del("X-Amzn-Requestid")
	r.header.Del("Date")
	r.body = strings.ReplaceAll(r.body, id, "ID")
	if strings.HasPrefix(r.body, `{"Method"`) {
		s := r.sight(t)
		if !strings.Contains(s.TraceID, "67891233") {
			r.body = strings.ReplaceAll(r.body, s.TraceID, "TRACE")
		}
		r.body = strings.ReplaceAll(r.body, s.Header["X-Forwarded-Port"], "PORT")
	}
	return r
}

func wrongLength(length string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", length)
		_, _ = io.WriteString(w, "hello")
	}
}

// FuzzFidelities looks for a request that the two see differently.
func FuzzFidelities(f *testing.F) {
	f.Add("/users/a%2Fb,c", "a=b%20c&d", "X-A: b\nX-A: c", "body")
	f.Add("/a//b/%zz/..", "?;&=", "Cookie: a=1; b=2\nCookie: c", "\xff")
	f.Add("//users/%ff/posts", "\xff", "Content-Type: text/plain; x", "")
	f.Add("http://a.example/users/%3F", "", "X-Forwarded-For: a, b\nConnection: close", "x")
	both := map[string]map[string]http.Handler{}
	for format, api := range formats {
		both[format] = fidelities(f, api.routes, mirror())
	}
	f.Fuzz(func(t *testing.T, path, query, headers, body string) {
		for format, api := range formats {
			text := "POST " + api.stage + path + "?" + query + " HTTP/1.1\nHost: api.example.com\n" + headers + fmt.Sprintf("\nContent-Length: %d\n\n%s", len(body), body)
			var results []result
			for _, name := range []string{"in process", "by an event"} {
				r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
				if err != nil || !servable(r) || strings.HasPrefix(r.URL.Path, api.stage+"/says/") {
					return
				}
				r.RemoteAddr = "192.0.2.1:1234"
				w := httptest.NewRecorder()
				both[format][name].ServeHTTP(w, r)
				results = append(results, plain(t, result{status: w.Code, header: w.Header(), body: w.Body.String()}))
			}
			here, there := results[0], results[1]
			if here.status != there.status || !maps.EqualFunc(here.header, there.header, equal) || here.body != there.body {
				t.Errorf("%s %q\nin process:  %d %v %s\nby an event: %d %v %s", format, text, here.status, here.header, here.body, there.status, there.header, there.body)
			}
		}
	})
}

// servable says whether net/http's server would let the request through.
func servable(r *http.Request) bool {
	for name, values := range r.Header {
		if strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c) }) || name == "" {
			return false
		}
		if strings.ContainsFunc(strings.Join(values, ""), func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return false
		}
	}
	return !strings.ContainsFunc(r.Host, func(c rune) bool { return c <= ' ' || c >= 0x7f })
}
