package lambdahttp_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// has checks an answer of its own accord, as sees does.
func has(status int, header map[string]string) func(*testing.T, outcome) {
	return func(t *testing.T, o outcome) {
		t.Helper()
		all := maps.Clone(o.header)
		maps.Copy(all, header)
		if o.status != status || !maps.Equal(all, o.header) {
			t.Errorf("answered %d %v; want %d with %v", o.status, o.header, status, header)
		}
	}
}

func write(parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, p := range parts {
			fmt.Fprint(w, p)
		}
	}
}

// outcomeOf writes the error of a write, for handlers to tell.
func outcomeOf(n int, err error) string { return fmt.Sprintf("%d %v", n, err) }

const head = "HEAD / HTTP/1.1"

var answers = []same{
	{name: "nothing is written", handler: func(http.ResponseWriter, *http.Request) {}, want: has(200, map[string]string{"Content-Length": "0"})},
	{name: "an empty write", handler: write(""), want: func(t *testing.T, o outcome) {
		if _, typed := o.header["Content-Type"]; typed {
			t.Error("an empty body has a content type")
		}
	}},
	{name: "a status alone", handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }, want: has(201, nil)},
	{name: "the first status wins", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		w.WriteHeader(http.StatusTeapot)
	}, want: has(202, nil)},
	{name: "a status after the body", handler: func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "body")
		w.WriteHeader(http.StatusTeapot)
	}, want: has(200, nil)},
	{name: "a header after the status", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Early", "1")
		w.WriteHeader(http.StatusAccepted)
		w.Header().Set("X-Late", "1")
		w.Header().Set("X-Early", "2")
		w.Header().Del("X-Early")
	}, want: has(202, map[string]string{"X-Early": "1"})},
	{name: "a header after the body", handler: func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<html>")
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("X-Late", "1")
	}, want: has(200, map[string]string{"Content-Type": "text/html; charset=utf-8"})},
	{name: "a value changed in place after the status", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["X-Early"] = []string{"1"}
		w.WriteHeader(http.StatusOK)
		w.Header()["X-Early"][0] = "2"
	}, want: has(200, map[string]string{"X-Early": "1"})},
	{name: "status 0", handler: tellPanic(0), want: answersWith("invalid WriteHeader code 0")},
	{name: "status 99", handler: tellPanic(99)},
	{name: "status 1000", handler: tellPanic(1000)},
	{name: "status 999", handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(999) }},
	{name: "an early hint is not the answer", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, "body")
	}, want: has(202, nil)},

	{name: "text", handler: write("hello")},
	{name: "JSON is not sniffed", handler: write(`{"a":1}`), want: has(200, map[string]string{"Content-Type": "text/plain; charset=utf-8", "Content-Length": "7"})},
	{name: "sniffing over several writes", handler: write("<!DOC", "TYPE HTML>", "<p>"), want: has(200, map[string]string{"Content-Type": "text/html; charset=utf-8"})},
	{name: "sniffing bytes", handler: write("\x89PNG\r\n\x1a\n\x00\xff"), want: has(200, map[string]string{"Content-Type": "image/png"})},
	{name: "a content type that is set", handler: typed("application/json", "<html>")},
	{name: "an empty content type", handler: typed("", "<html>")},
	{name: "no content type, on purpose", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		fmt.Fprint(w, "<html>")
	}},
	{name: "a content encoding is not sniffed", handler: encoded("br", "not really compressed")},
	{name: "compressed bytes", handler: encoded("gzip", "\x1f\x8b\x08\x00\xff")},
	{name: "sniffing stops at a flush", handler: func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "plain")
		_ = http.NewResponseController(w).Flush()
		fmt.Fprint(w, "<html>")
	}, want: has(200, map[string]string{"Content-Type": "text/plain; charset=utf-8"})},
	{name: "a flush before anything is written", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Late", "1")
		fmt.Fprint(w, "<html>")
	}, want: has(200, map[string]string{})},
	{name: "a long body", handler: write(strings.Repeat("0123456789", 100_000))},
	{name: "a long body in parts", handler: write(strings.Repeat("a", 1500), strings.Repeat("b", 1500), "c")},
	{name: "a body of other letters", handler: write("äöü 日本 \u2028 \U0001F600")},
	{name: "a body of all control characters", handler: write("\x00\x01\b\f\n\r\t\x1f\"\\/<>&\x7f")},
	{name: "half a letter", handler: write("a\xc3")},
	{name: "io.WriteString", handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "text") }},
	{name: "io.Copy", handler: func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.Copy(w, iotest.OneByteReader(strings.NewReader("<html>")))
	}},
	{name: "ReadFrom", handler: func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("<html>"))
	}},

	{name: "HEAD of a body", request: head, handler: write("<html>"),
		want: has(200, map[string]string{"Content-Type": "text/html; charset=utf-8", "Content-Length": "6"})},
	{name: "HEAD of nothing", request: head, handler: write()},
	{name: "HEAD of an announced length", request: head, handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "12345")
	}, want: has(200, map[string]string{"Content-Length": "12345"})},
	{name: "HEAD of a long body", request: head, handler: write(strings.Repeat("a", 5000))},
	{name: "HEAD of an error", request: head, handler: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }},

	{name: "204 has no body", handler: bare(http.StatusNoContent), want: answersWith("")},
	{name: "304 has no body", handler: bare(http.StatusNotModified), want: has(304, map[string]string{"Etag": `"x"`})},
	{name: "204 tells a handler that writes", handler: tell(http.StatusNoContent, "", "body")},
	{name: "101 is final", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusSwitchingProtocols)
		w.WriteHeader(http.StatusOK)
	}},

	{name: "a length that fits", handler: announced("4", "body")},
	{name: "a length that is no number", handler: announced("many", "body")},
	{name: "a length below zero", handler: announced("-1", "body")},
	{name: "a length that is too short", handler: announced("4", "body", " and more"), want: answersWith("body")},
	{name: "a length that is too long", handler: announced("100", "body"), differs: true, want: has(500, nil)},
	{name: "a length that is too short tells the handler", handler: tell(http.StatusOK, "3", "body"), differs: true, want: has(500, nil)},

	{name: "cookies", handler: func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1", Expires: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2", HttpOnly: true})
	}, want: has(200, map[string]string{"Set-Cookie": "a=1; Expires=Mon, 23 Nov 2026 00:00:00 GMT,b=2; HttpOnly"})},
	{name: "a header twice", handler: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Link", "</a>; rel=next")
		w.Header().Add("Link", "</b>; rel=prev")
	}, want: has(200, map[string]string{"Link": "</a>; rel=next,</b>; rel=prev"})},
	{name: "a header in another case", handler: header("x-lower-CASE", "1"), want: has(200, map[string]string{"X-Lower-Case": "1"})},
	{name: "a header without values", handler: header("X-None"), want: has(200, map[string]string{})},
	{name: "a header with an empty value", handler: header("X-Empty", "")},
	{name: "a header without a name", handler: header("", "1")},
	{name: "a header with a name that is none", handler: header("X Space", "1")},
	{name: "a line break in a value", handler: header("X-Break", "a\r\nX-Forged: 1", "\tb \n"), want: has(200, map[string]string{"X-Break": "a  X-Forged: 1,b"})},
	{name: "hop-by-hop headers", handler: header("Connection", "close")},
	{name: "a redirect", request: "GET /a/b?c=d HTTP/1.1", handler: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "../c?d=e", http.StatusSeeOther)
	}},
	{name: "a file with a range", request: "GET / HTTP/1.1\nRange: bytes=2-4", handler: func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "a.txt", time.Unix(1e9, 0), strings.NewReader("0123456789"))
	}, want: has(206, map[string]string{"Content-Range": "bytes 2-4/10"})},
	{name: "a file that has not changed", request: "GET / HTTP/1.1\nIf-None-Match: \"x\"", handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"x"`)
		http.ServeContent(w, r, "a.txt", time.Unix(1e9, 0), strings.NewReader("0123456789"))
	}, want: has(304, nil)},
	{name: "a handler with a time limit", handler: http.TimeoutHandler(write("in time"), time.Minute, "late").ServeHTTP},
	{name: "an aborted answer", handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, want: aborted},
	{name: "an answer aborted in its midst", handler: func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat("a", 5000))
		panic(http.ErrAbortHandler)
	}, want: aborted},
	{name: "a panic that nobody caught", handler: func(http.ResponseWriter, *http.Request) { panic("oh") }, want: aborted},
}

func aborted(t *testing.T, o outcome) {
	if !o.aborted {
		t.Errorf("answered %d %q", o.status, o.body)
	}
}

func typed(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		fmt.Fprint(w, body)
	}
}

func encoded(coding, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", coding)
		fmt.Fprint(w, body)
	}
}

func header(name string, values ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Header()[name] = values }
}

func announced(length string, parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", length)
		write(parts...)(w, r)
	}
}

// bare answers with a status that has no body, though the handler is not careful.
func bare(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Length", "4")
		w.Header().Set("ETag", `"x"`)
		w.WriteHeader(status)
		fmt.Fprint(w, "body")
	}
}

// tell panics where a write does not return what net/http's does.
func tell(status int, length, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if length != "" {
			w.Header().Set("Content-Length", length)
		}
		w.WriteHeader(status)
		n, err := w.Write([]byte(body))
		m, again := io.WriteString(w, body)
		if told := outcomeOf(n, err) + ", " + outcomeOf(m, again); told != refused[status] {
			panic(told)
		}
	}
}

// refused is what net/http returns from the writes of tell.
var refused = map[int]string{
	http.StatusNoContent: "0 " + http.ErrBodyNotAllowed.Error() + ", 0 " + http.ErrBodyNotAllowed.Error(),
	http.StatusOK:        "0 " + http.ErrContentLength.Error() + ", 0 " + http.ErrContentLength.Error(),
}

// tellPanic answers with what WriteHeader panics with.
func tellPanic(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		defer func() { fmt.Fprint(w, recover()) }()
		w.WriteHeader(status)
	}
}
