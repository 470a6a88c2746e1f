package lambdahttp_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// step is one thing that a handler may do to its writer.
type step struct {
	name string
	do   func(http.ResponseWriter)
}

// steps draws what a handler does. Its headers and statuses are those with rules of
// their own.
func steps(random *rand.Rand) []step {
	// Not Transfer-Encoding: how an answer is framed is the server's own affair.
	headers := []string{"Content-Type", "Content-Length", "Content-Encoding", "X-One", "x-one", "Set-Cookie", "Etag", "X Bad"}
	values := []string{"", "text/html", "5", "2000", "gzip", " spaced ", "a\nb"}
	statuses := []int{200, 201, 204, 206, 304, 400, 404, 500, 103, 599}
	bodies := []string{"", "a", "<html>", "\xff\x00", strings.Repeat("b", 5), strings.Repeat("c", 1000), strings.Repeat("d", 3000)}
	all := make([]step, 1+random.IntN(6))
	for i := range all {
		name, value := headers[random.IntN(len(headers))], values[random.IntN(len(values))]
		status, body := statuses[random.IntN(len(statuses))], bodies[random.IntN(len(bodies))]
		add := http.Header.Add
		if name == "Content-Length" {
			// net/http sends one that is none, which no client takes.
			value, add = []string{"5", "2000"}[random.IntN(2)], http.Header.Set
		}
		all[i] = []step{
			{"set " + name + ": " + value, func(w http.ResponseWriter) { w.Header()[name] = []string{value} }},
			{"add " + name + ": " + value, func(w http.ResponseWriter) { add(w.Header(), name, value) }},
			{"forbid " + name, func(w http.ResponseWriter) { w.Header()[name] = nil }},
			{"delete " + name, func(w http.ResponseWriter) { w.Header().Del(name) }},
			{fmt.Sprint("status ", status), func(w http.ResponseWriter) { w.WriteHeader(status) }},
			{fmt.Sprintf("write %d %.6q", len(body), body), func(w http.ResponseWriter) { _, _ = w.Write([]byte(body)) }},
			{fmt.Sprintf("write text %d %.6q", len(body), body), func(w http.ResponseWriter) { _, _ = io.WriteString(w, body) }},
			{"flush", func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }},
		}[random.IntN(8)]
	}
	return all
}

// What no one thought of: handlers that do anything in any order, the same ones each
// time.
func TestRandomHandlersAnswerAlike(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		todo := steps(random)
		method := []string{"GET", "GET", "HEAD", "POST"}[random.IntN(4)]
		name := fmt.Sprint(i, " ", method)
		for _, s := range todo {
			name += "; " + s.name
		}
		c := same{name: name, request: method + " / HTTP/1.1", handler: func(w http.ResponseWriter, _ *http.Request) {
			for _, s := range todo {
				s.do(w)
			}
		}}
		want, got := c.overHTTP(t), c.overLambda(t)
		if want.aborted && got.status == http.StatusInternalServerError {
			continue // half an answer
		}
		if compare(t, want, got); t.Failed() {
			t.Fatal(name)
		}
	}
}
