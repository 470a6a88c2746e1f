package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/tandem-api/tandem/localhost/gateway"
	"github.com/tandem-api/tandem/localhost/template"
)

// notFound is what unknown routes and methods get alike.
const notFound = `{"message":"Not Found"}`

func TestRouting(t *testing.T) {
	type request struct{ name, line, want string } // want: a function, or "" for 404
	for _, c := range []struct {
		name     string
		routes   []string
		requests []request
	}{
		{"precedence", []string{
			"GET /pets/dog/1",    // A
			"GET /pets/dog/{id}", // B
			"GET /pets/{proxy+}", // C
			"ANY /{proxy+}",      // D
			"ANY /pets/dog/1",    // E
			"$default",           // F
		}, []request{
			{"a full match", "GET /pets/dog/1", "A"},
			{"a variable", "GET /pets/dog/2", "B"},
			{"greedy", "GET /pets/cat/1", "C"},
			{"greedy, and ANY", "POST /test/5", "D"},
			{"ANY takes the methods that have no route", "DELETE /pets/dog/1", "E"},
			{"the method counts before the path's length", "PUT /pets/dog/2", "D"},
			{"the root, for a greedy variable of nothing", "GET /", "D"},
		}},
		{"a full match beats greedy in another branch", []string{
			"GET /a/{rest+}",  // A
			"GET /{x}/b/c",    // B
			"POST /{x}/{y}/z", // C
		}, []request{
			{"full", "GET /a/b/c", "B"},
			{"greedy", "GET /a/b/d", "A"},
			{"a full match for another method", "GET /a/b/z", "A"},
			{"nothing", "GET /b/b/d", ""},
		}},
		{"$default takes the rest", []string{"GET /foo", "$default"}, []request{
			{"a route", "GET /foo", "A"},
			{"another method", "POST /foo", "B"},
			{"another path", "GET /bar/baz", "B"},
			{"the root", "DELETE /", "B"},
			{"OPTIONS without CORS", "OPTIONS /foo", "B"},
		}},
		{"paths as they are", []string{
			"GET /foo",                  // A
			"GET /v{version}/foo",       // B
			"GET /users/{id}",           // C
			"GET /users/{id}/posts",     // D
			"GET /files/{path+}",        // E
			"GET /reports/{name}.{ext}", // F
			"GET /",                     // G
			"HEAD /head",                // H
		}, []request{
			{"plain", "GET /foo", "A"},
			{"with a query", "GET /foo?a=b", "A"},
			{"a trailing slash is another path", "GET /foo/", ""},
			{"a doubled slash is another path", "GET //foo", ""},
			{"another case is another path", "GET /Foo", ""},
			{"a letter that is escaped", "GET /%66oo", "A"},
			{"dots are no way up", "GET /users/../foo", ""},
			{"a variable within a part", "GET /v12/foo", "B"},
			{"of nothing", "GET /v/foo", ""},
			{"an empty variable", "GET /users/", ""},
			{"an empty variable in the middle", "GET /users//posts", ""},
			{"a slash in a variable", "GET /users/a%2Fb/posts", "D"},
			{"a slash in the other case", "GET /users/a%2fb", "C"},
			{"more than a variable takes", "GET /users/a/b", ""},
			{"greedy", "GET /files/a/b/c.txt", "E"},
			{"greedy of nothing", "GET /files/", "E"},
			{"greedy needs its slash", "GET /files", ""},
			{"two variables in a part", "GET /reports/a.pdf", "F"},
			{"the root", "GET /", "G"},
			{"HEAD has a route of its own", "HEAD /head", "H"},
			{"HEAD is not GET", "HEAD /foo", ""},
			{"another method", "POST /foo", ""},
			{"OPTIONS", "OPTIONS /foo", ""},
			{"a method of one's own", "PURGE /foo", ""},
			{"a method in lower case", "get /foo", ""},
			{"a whole URL", "GET http://api.example.com/foo", "A"},
		}},
		{"ANY is for the methods that routes can have", []string{"ANY /foo"}, []request{
			{"GET", "GET /foo", "A"}, {"HEAD", "HEAD /foo", "A"}, {"OPTIONS", "OPTIONS /foo", "A"}, {"PATCH", "PATCH /foo", "A"},
			{"TRACE", "TRACE /foo", ""}, {"QUERY", "QUERY /foo", ""}, {"PURGE", "PURGE /foo", ""},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := stage{template: routes(c.routes...), function: ok}.start(t)
			for _, r := range c.requests {
				t.Run(r.name, func(t *testing.T) {
					got := send(t, addr, r.line)
					if got.header.Get("X-Function") != r.want {
						t.Errorf("%s went to %q, not to %q", r.line, got.header.Get("X-Function"), r.want)
					}
					switch {
					case r.want != "" && len(got.header.Get("Apigw-Requestid")) != 16:
						t.Errorf("apigw-requestid: %q", got.header.Get("Apigw-Requestid"))
					case r.want == "" && r.line[:4] != "HEAD":
						got.is(t, http.StatusNotFound, notFound)
					}
				})
			}
		})
	}
}

const stages3 = `
Resources:
  Default:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: {Type: HttpApi, Properties: {Method: GET, Path: /foo}}
  Live:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: {Type: HttpApi, Properties: {Method: GET, Path: /foo, ApiId: !Ref Api}}
        B: {Type: HttpApi, Properties: {Method: GET, Path: /, ApiId: !Ref Api}}
        C: {Type: HttpApi, Properties: {Method: GET, Path: '/x/{y+}', ApiId: !Ref Api}}
  Rest:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: {Type: Api, Properties: {Method: GET, Path: /foo}}
        B: {Type: Api, Properties: {Method: GET, Path: /}}
  Api:
    Type: AWS::Serverless::HttpApi
    Properties: {StageName: live}
`

func TestStages(t *testing.T) {
	addr := stage{template: stages3, function: ok}.start(t)
	for _, c := range []struct{ name, line, function, path string }{
		{"the default stage has no prefix", "GET /foo", "Default", "/foo"},
		{"a stage is the first part, and none of the function's", "GET /live/foo", "Live", "/foo"},
		{"its root", "GET /live/", "Live", "/"},
		{"its root without a slash", "GET /live", "Live", "/"},
		{"a greedy path in it", "GET /live/x/live/b", "Live", "/x/live/b"},
		{"what only begins like it", "GET /lively/foo", "", ""},
		{"an unknown route in it", "GET /live/bar", "", ""},
		{"a REST API", "GET /Prod/foo", "Rest", "/foo"},
		{"its root", "GET /Prod", "Rest", "/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := send(t, addr, c.line)
			if c.function == "" {
				got.is(t, http.StatusNotFound, notFound)
				return
			}
			if got.header.Get("X-Function") != c.function || got.body != "GET "+c.path {
				t.Errorf("got %s %q, want %s at %s", got.header.Get("X-Function"), got.body, c.function, c.path)
			}
		})
	}
	t.Run("an unknown route of a REST API", func(t *testing.T) {
		got := send(t, addr, "GET /Prod/bar")
		if got.status != http.StatusForbidden || got.body != `{"message":"Missing Authentication Token"}` || got.header.Get("X-Amzn-Requestid") == "" {
			t.Errorf("got %+v", got)
		}
	})
}

func TestRequestIDs(t *testing.T) {
	addr := stage{template: routes("GET /foo"), function: ok}.start(t)
	seen := map[string]bool{}
	for range 100 {
		seen[send(t, addr, "GET /foo").header.Get("Apigw-Requestid")] = true
	}
	if len(seen) != 100 {
		t.Errorf("100 requests had %d ids", len(seen))
	}
}

// TestFunctionsRouter shows that a function's own chi router finds nothing of the
// gateway's routing: it sees what it would see alone.
func TestFunctionsRouter(t *testing.T) {
	read, err := template.Parse("template.yaml", []byte(routes("GET /v{version}/foo", "GET /a/{x}", "ANY /a/{rest+}", "$default")), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	own := chi.NewRouter()
	own.Use(middleware.GetHead) // which looks at the router in the context
	tell := func(w http.ResponseWriter, r *http.Request) {
		rctx := chi.RouteContext(r.Context())
		_, _ = fmt.Fprint(w, rctx.RoutePattern(), " ", rctx.URLParams.Keys, " ", r.Pattern)
	}
	own.Get("/v{number}/foo", tell)
	own.HandleFunc("/a/{x}", tell)
	own.Route("/sub", func(r chi.Router) { r.Get("/{y}", tell) })
	own.NotFound(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "not found") })
	own.MethodNotAllowed(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "not allowed") })
	g, err := gateway.New(gateway.Options{Template: read, Handler: func(*template.Function) (http.Handler, error) { return own, nil }})
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"GET /v1/foo":  "/v{number}/foo [number] /v{number}/foo",
		"GET /a/b":     "/a/{x} [x] /a/{x}",
		"POST /a/b":    "/a/{x} [x] /a/{x}",
		"GET /sub/b":   "/sub/{y} [* y] /sub/{y}",
		"HEAD /sub/b":  "/sub/{y} [* y] /sub/{y}",
		"POST /sub/b":  "not allowed",
		"GET /unknown": "not found",
	} {
		behind, alone := httptest.NewRecorder(), httptest.NewRecorder()
		g.ServeHTTP(behind, request(t, line))
		own.ServeHTTP(alone, request(t, line))
		if behind.Body.String() != want || alone.Body.String() != want {
			t.Errorf("%s: behind the gateway %q, alone %q, want %q", line, behind.Body, alone.Body, want)
		}
	}
}

func TestNew(t *testing.T) {
	read, err := template.Parse("template.yaml", []byte(routes("GET /foo")), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = gateway.New(gateway.Options{Template: read, Handler: func(*template.Function) (http.Handler, error) {
		return nil, fmt.Errorf("no such folder")
	}})
	if err == nil || err.Error() != "function A: no such folder" {
		t.Errorf("got %v", err)
	}
	empty, err := template.Parse("template.yaml", []byte("Resources: {}"), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.New(gateway.Options{Template: empty}); err != nil {
		t.Errorf("without routes: %v", err)
	}
}
