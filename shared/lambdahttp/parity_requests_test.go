package lambdahttp_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/function"
)

// sees checks what the handler got to see of its own accord, so that two wrongs do not
// make a right.
func sees(check func(s sight) bool) func(*testing.T, outcome) {
	return func(t *testing.T, o outcome) {
		t.Helper()
		if !check(o.saw) {
			t.Errorf("the handler saw %+v", o.saw)
		}
	}
}

func seesHeader(name, value string) func(*testing.T, outcome) {
	return sees(func(s sight) bool { return s.header[name] == value })
}

func seesPath(path, escaped string) func(*testing.T, outcome) {
	return sees(func(s sight) bool { return s.path == path && s.escaped == escaped })
}

// param answers with the route variable, as chi and function.Param find it.
func param(pattern, name string) http.HandlerFunc {
	r := chi.NewRouter()
	r.Get(pattern, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q", function.Param(r, name))
	})
	return r.ServeHTTP
}

func answersWith(body string) func(*testing.T, outcome) {
	return func(t *testing.T, o outcome) {
		t.Helper()
		if o.body != body {
			t.Errorf("answered %q; want %q", o.body, body)
		}
	}
}

var requests = []same{
	{name: "a plain request", want: sees(func(s sight) bool {
		return s.method == "GET" && s.path == "/" && s.host == "api.example.com" && s.remoteIsAddrPort && s.length == 0
	})},
	{name: "POST with a JSON body", request: "POST /bar HTTP/1.1\nContent-Type: application/json", body: `{"a":"ä"}`},
	{name: "a form, which the gateway encodes", request: "POST /bar HTTP/1.1\nContent-Type: application/x-www-form-urlencoded", body: "a=1&b=%2B"},
	{name: "bytes that are no text", request: "PUT /bar HTTP/1.1\nContent-Type: image/png", body: "\x89PNG\xff\x00"},
	{name: "a body without a content type", request: "POST / HTTP/1.1", body: "abc"},
	{name: "a large body", request: "POST / HTTP/1.1\nContent-Type: text/plain", body: strings.Repeat("0123456789", 100_000)},
	{name: "DELETE with a body", request: "DELETE / HTTP/1.1\nContent-Type: text/plain", body: "why"},
	{name: "OPTIONS", request: "OPTIONS /foo HTTP/1.1"},
	{name: "HEAD", request: "HEAD /foo HTTP/1.1"},
	{name: "a method in lower case", request: "get / HTTP/1.1", want: sees(func(s sight) bool { return s.method == "get" })},
	{name: "a method of one's own", request: "PURGE / HTTP/1.1"},

	{name: "a header with commas", request: "GET / HTTP/1.1\nStripe-Signature: t=1,v1=abc", want: seesHeader("Stripe-Signature", "t=1,v1=abc")},
	{name: "a date", request: "GET / HTTP/1.1\nX-Date: Mon, 23 Nov 2026 11:15:00 GMT"},
	{name: "If-None-Match", request: "GET / HTTP/1.1\nIf-None-Match: \"a,b\", W/\"c\"", want: seesHeader("If-None-Match", `"a,b", W/"c"`)},
	{name: "JSON in a header", request: `GET / HTTP/1.1` + "\n" + `X-Json: {"a":[1, 2],"b":"c,d"}`},
	{name: "a header twice", request: "GET / HTTP/1.1\nAccept: text/html\nAccept: text/plain, */*", want: seesHeader("Accept", "text/html,text/plain, */*")},
	{name: "Accept-Language", request: "GET / HTTP/1.1\nAccept-Language: de-CH, de;q=0.9, en;q=0.8"},
	{name: "Authorization", request: "GET / HTTP/1.1\nAuthorization: Digest username=\"a\", realm=\"b, c\""},
	{name: "an empty header", request: "GET / HTTP/1.1\nX-Empty:"},
	{name: "a header of other letters", request: "GET / HTTP/1.1\nX-Name: Zoë, Łukasz"},
	{name: "the host", request: "GET / HTTP/1.1\nHost: other.example:8443", want: sees(func(s sight) bool {
		return s.host == "other.example:8443" && s.header["Host"] == ""
	})},
	{name: "cookies", request: "GET / HTTP/1.1\nCookie: a=1; b=\"2,3\"; c=x=y", want: sees(func(s sight) bool { return len(s.cookies) == 3 })},
	{name: "cookies in two headers", request: "GET / HTTP/1.1\nCookie: a=1; b=2\nCookie: c=3", want: sees(func(s sight) bool { return len(s.cookies) == 3 })},
	{name: "the version of HTTP", request: "GET / HTTP/1.0", want: sees(func(s sight) bool { return s.proto == "HTTP/1.0" })},

	{name: "a query", request: "GET /?a=1&b=two+words&b=%C3%A4&c HTTP/1.1"},
	{name: "a query as it was sent", request: "GET /?z=1&a=%2f&&x=%zz;y=a/b?c HTTP/1.1", raw: true, want: sees(func(s sight) bool { return s.query == "z=1&a=%2f&&x=%zz;y=a/b?c" })},
	{name: "a query with a value twice", request: "GET /?a=1,2&a=3 HTTP/1.1"},

	{name: "a space in the path", request: "GET /capture/space%20value HTTP/1.1", want: seesPath("/capture/space value", "/capture/space%20value")},
	{name: "a percent sign in the path", request: "GET /a/50%25 HTTP/1.1", want: seesPath("/a/50%", "/a/50%25")},
	{name: "percent signs that look like an escape", request: "GET /a/%2541 HTTP/1.1", want: seesPath("/a/%41", "/a/%2541")},
	{name: "a question mark in the path", request: "GET /a/what%3F?b=1 HTTP/1.1", want: seesPath("/a/what?", "/a/what%3F")},
	{name: "a hash in the path", request: "GET /a/%23top HTTP/1.1", want: seesPath("/a/#top", "/a/%23top")},
	{name: "other letters in the path", request: "GET /%C3%A4/%E6%97%A5 HTTP/1.1"},
	{name: "a plus sign in the path", request: "GET /a+b HTTP/1.1", want: seesPath("/a+b", "/a+b")},
	{name: "a semicolon, a comma, an equals sign", request: "GET /a;b=1,2/c HTTP/1.1"},
	{name: "a colon at once", request: "GET /a:b HTTP/1.1"},
	{name: "two slashes", request: "GET /a//b/ HTTP/1.1", want: seesPath("/a//b/", "/a//b/")},
	{name: "two slashes at once", request: "GET //a/b HTTP/1.1", want: seesPath("//a/b", "//a/b")},
	{name: "dots", request: "GET /a/../b/. HTTP/1.1"},
	{name: "quotes and brackets", request: "GET /%22a%22/%3Cb%3E/%7Bc%7D/%5Bd%5D HTTP/1.1"},
	{name: "a line break in the path", request: "GET /a%0Ab HTTP/1.1"},

	{name: "a slash in a variable", request: "GET /users/a%2Fb HTTP/1.1", route: "GET /users/{id}",
		handler: param("/users/{id}", "id"), want: answersWith(`"a/b"`)},
	{name: "a percent sign in a variable", request: "GET /users/100%25%2F2 HTTP/1.1", route: "GET /users/{id}",
		handler: param("/users/{id}", "id"), want: answersWith(`"100%/2"`)},
	{name: "an escape of an escape in a variable", request: "GET /users/a%252Fb HTTP/1.1", route: "GET /users/{id}",
		handler: param("/users/{id}", "id"), want: answersWith(`"a%2Fb"`)},
	{name: "a question mark in a variable", request: "GET /users/who%3F?x=1 HTTP/1.1", route: "GET /users/{id}",
		handler: param("/users/{id}", "id"), want: answersWith(`"who?"`)},
	{name: "two variables", request: "GET /users/a%2Fb/posts/c%20d HTTP/1.1", route: "GET /users/{id}/posts/{post}",
		handler: param("/users/{id}/posts/{post}", "post"), want: answersWith(`"c d"`)},
	{name: "a variable within a segment", request: "GET /v2/foo HTTP/1.1", route: "GET /v{version}/foo",
		handler: param("/v{version}/foo", "version"), want: answersWith(`"2"`)},
	{name: "a variable over many segments", request: "GET /files/a/b%20c/d HTTP/1.1", route: "ANY /files/{proxy+}",
		handler: param("/files/*", "*"), want: answersWith(`"a/b c/d"`)},
	{name: "a variable under a route without one", request: "GET /users/a%20b HTTP/1.1",
		handler: param("/users/{id}", "id"), want: answersWith(`"a b"`)},

	{name: "a body within its limit", request: "POST / HTTP/1.1\nContent-Type: text/plain", body: "12345", handler: limited(5)},
	{name: "a body over its limit", request: "POST / HTTP/1.1\nContent-Type: text/plain", body: "123456", handler: limited(5),
		want: answersWith("12345 true")},
	{name: "a body that nobody reads", request: "POST / HTTP/1.1\nContent-Type: text/plain", body: "123456",
		handler: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "done") }},
	{name: "a form that is parsed", request: "POST /?a=0 HTTP/1.1\nContent-Type: application/x-www-form-urlencoded", body: "a=1&b=%2B",
		handler: func(w http.ResponseWriter, r *http.Request) {
			err := r.ParseForm()
			fmt.Fprint(w, r.Form.Encode(), err)
		}, want: answersWith(url.Values{"a": {"1", "0"}, "b": {"+"}}.Encode() + "<nil>")},
	{name: "a form with a file", request: "POST / HTTP/1.1\nContent-Type: multipart/form-data; boundary=X",
		body: "--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.bin\"\r\n\r\n\xff\x00\r\n--X--\r\n",
		handler: func(w http.ResponseWriter, r *http.Request) {
			f, head, err := r.FormFile("f")
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			content, err := io.ReadAll(f)
			fmt.Fprintf(w, "%s %q %v", head.Filename, content, err)
		}, want: answersWith(`a.bin "\xff\x00" <nil>`)},
}

// limited answers with what http.MaxBytesReader lets through.
func limited(most int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
		_, over := errors.AsType[*http.MaxBytesError](err)
		fmt.Fprintf(w, "%s %v", text, over)
	}
}
