package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/localhost/gateway"
	"github.com/tandem-api/tandem/localhost/template"
)

// serve starts a gateway over a template, with a handler for every function.
func serve(t testing.TB, text string, h http.HandlerFunc, options ...func(*gateway.Options)) *httptest.Server {
	t.Helper()
	read, err := template.Parse("template.yaml", []byte(text), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := gateway.Options{Template: read, Handler: func(f *template.Function) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Function", f.LogicalID)
			h(w, r)
		}), nil
	}}
	for _, set := range options {
		set(&o)
	}
	g, err := gateway.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	return server
}

// routes makes a template with a function for each route, named A, B, C…
func routes(keys ...string) string {
	var b strings.Builder
	b.WriteString("Resources:\n")
	for i, key := range keys {
		name := string(rune('A' + i))
		b.WriteString("  " + name + ":\n    Type: AWS::Serverless::Function\n    Properties:\n      Events:\n        Event:\n          Type: HttpApi\n")
		if method, path, ok := strings.Cut(key, " "); ok {
			b.WriteString("          Properties: {Method: " + method + ", Path: '" + path + "'}\n")
		}
	}
	return b.String()
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }

func TestPrecedence(t *testing.T) {
	server := serve(t, routes(
		"GET /pets/dog/1",     // A
		"GET /pets/dog/{id}",  // B
		"GET /pets/{proxy+}",  // C
		"ANY /{proxy+}",       // D
		"$default",            // E
		"ANY /pets/dog/1",     // F
		"GET /{x}/dog/toys",   // G
		"GET /v{version}/foo", // H
	), ok)
	for _, c := range []struct{ name, method, path, want string }{
		{"a full match", "GET", "/pets/dog/1", "A"},
		{"a variable", "GET", "/pets/dog/2", "B"},
		{"greedy", "GET", "/pets/cat/1", "C"},
		{"a full match beats greedy in another branch", "GET", "/pets/dog/toys", "B"},
		{"ANY greedy", "POST", "/test/5", "D"},
		{"ANY takes the methods that have no route", "DELETE", "/pets/dog/1", "F"},
		{"a variable within a part", "GET", "/v1/foo", "H"},
		{"nothing but $default", "PUT", "/", "D"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequest(c.method, server.URL+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if got := answer.Header.Get("X-Function"); got != c.want {
				t.Errorf("%s %s went to %q, not %q (%s)", c.method, c.path, got, c.want, answer.Status)
			}
			if answer.Header.Get("Apigw-Requestid") == "" {
				t.Error("no request id")
			}
		})
	}
}
