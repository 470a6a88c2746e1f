package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/server"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/password"
)

// request is one that a bootstrap and the local host must answer alike.
type request struct {
	route, method, target, body string
	header                      http.Header
	recorded                    *events.APIGatewayV2HTTPRequest // nil: the event is made of the rest
}

// requests are those beside the recorded events, for each function and in this order.
func requests(function, token string) []request {
	login := http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
	post := func(body string, header http.Header) request {
		return request{route: "POST /bar", method: "POST", target: "/bar", body: body, header: header}
	}
	bar := func(body string) request { return post(body, login) }
	get := func(route, target string) request {
		return request{route: "GET " + route, method: "GET", target: target}
	}
	return map[string][]request{
		"foo": {get("/{version}/foo", "/v1/foo"), get("/{version}/foo", "/v2/foo?a=%2F"), get("/{version}/foo", "/v%31/foo"), get("/{version}/foo", "/vx%2F1/foo")},
		"bar": {
			bar(`{"hello":"ä","world":[{"color":"rot, \"blau\""}]}`), bar(`{"hello":1,"world":[{}]}`), bar(`{"hello":`), bar(""), bar(strings.Repeat(" ", 1<<20) + "{}"),
			post(`{"hello":"w","world":[{"color":"red"}]}`, http.Header{"Content-Type": {"application/json"}}),
			post("hello=w", http.Header{"Authorization": login["Authorization"], "Content-Type": {"application/x-www-form-urlencoded"}}),
			post("{}", http.Header{"Authorization": {"Bearer abc"}, "Content-Type": {"application/json"}}),
		},
		"baz":    {get("/baz", "/baz"), get("/baz", "/baz?x=1"), get("/baz", "/baz?x=1")},
		"fail":   {get("/fail", "/fail?password=hunter2")},
		"health": {get("/health", "/health")},
		"login": {{route: "POST /login", method: "POST", target: "/login", body: `{"name":"ada","password":"wrong"}`, header: login},
			{route: "POST /logout", method: "POST", target: "/logout", header: login}},
		"posts": {
			{route: "POST /posts", method: "POST", target: "/posts", body: `{"title":""}`, header: login},
			{route: "GET /posts", method: "GET", target: "/posts?title__like=%25%5C", header: login},
			{route: "GET /posts/{id}", method: "GET", target: "/posts/7", header: login},
			{route: "DELETE /posts/{id}", method: "DELETE", target: "/posts/a%2Fb", header: login},
			get("/posts", "/posts"),
		},
		"users": {
			{route: "POST /users", method: "POST", target: "/users", body: `{"name":"eve"}`, header: login},
			{route: "PATCH /users/{id}", method: "PATCH", target: "/users/1", body: `{"role":"admin"}`, header: login},
			{route: "PUT /users/{id}", method: "PUT", target: "/users/2", body: `{"name":"x","role":"user"}`, header: login},
			get("/users", "/users"),
		},
		"jobs": {get("/jobs/{id}", "/jobs/none"), get("/jobs/{id}", "/jobs/a%2Fb"), get("/jobs", "/jobs")},
	}[function]
}

// recorded makes a request of the event that events/ holds of the function.
func recorded(t *testing.T, function, token string) request {
	t.Helper()
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(bytes.ReplaceAll(apptest.EventFile(t, function), []byte("TOKEN"), []byte(token)), &e); err != nil {
		t.Fatal(err)
	}
	r := request{method: e.RequestContext.HTTP.Method, body: e.Body, header: http.Header{}, recorded: &e}
	r.target = (&url.URL{Path: e.RawPath, RawQuery: e.RawQueryString}).RequestURI()
	for name, value := range e.Headers {
		if name != "host" && !strings.HasPrefix(name, "x-") {
			r.header.Set(name, value)
		}
	}
	return r
}

// event is what the gateway makes of the request.
func (r request) event(t *testing.T) events.APIGatewayV2HTTPRequest {
	t.Helper()
	if r.recorded != nil {
		return *r.recorded
	}
	over := httptest.NewRequest(r.method, r.target, strings.NewReader(r.body))
	maps.Copy(over.Header, r.header)
	return apptest.Event(t, r.route, over)
}

// TestBootstrapsAnswerAsTheLocalHost runs every function as Lambda does, its own binary
// behind a Runtime API, and beside it the local host.
func TestBootstrapsAnswerAsTheLocalHost(t *testing.T) {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"fact":"A cat has nine lives, they say.","length":32}`)
	}))
	t.Cleanup(vendor.Close)
	settings := func(c *config.Config) { c.CatfactsURL = vendor.URL }
	for _, f := range functions() {
		if f.Routes == nil {
			continue // it takes no requests, and its own tests drive its bootstrap
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			here, there := apptest.New(t, settings), apptest.New(t, settings)
			addAda(t, here)
			addAda(t, there)
			host := serveHost(t, here)
			rt := apptest.NewRuntime(t)
			rt.Start(apptest.Build(t, "./functions/"+f.Name+"/bootstrap"), f.Name, there.Env()...)

			token := here.Token("ada")
			for _, r := range slices.Concat([]request{recorded(t, f.Name, token)}, requests(f.Name, token)) {
				want := apptest.Do(t, r.method, host+r.target, r.body, r.header)
				got := invoke(t, rt, r.event(t))
				if got.Status != want.Status || anyRequest(got.Body) != anyRequest(want.Body) {
					t.Errorf("%s %s\n%.500s\n got %d %s\nwant %d %s", r.method, r.target, r.body, got.Status, got.Body, want.Status, want.Body)
				}
				sameHeaders(t, r, got.Header, want.Header)
				if r.recorded != nil && (want.Status == http.StatusOK) == (f.Name == "fail") {
					t.Errorf("the recorded event is answered with %d %s", want.Status, want.Body)
				}
			}
			compareReports(t, there.Reports(), here.Reports())
		})
	}
}

// addAda adds the user of the recorded events.
func addAda(t *testing.T, app *apptest.App) {
	t.Helper()
	db, err := database.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := password.Hash("correct horse battery staple")
	if err != nil {
		t.Fatal(err)
	}
	if err := models.Users.Create(t.Context(), db, &models.User{Name: "ada", PasswordHash: hash}); err != nil {
		t.Fatal(err)
	}
}

// serveHost serves what `localhost serve` does, in this process.
func serveHost(t *testing.T, app *apptest.App) string {
	t.Helper()
	described, err := template.Load(filepath.Join(apptest.Root(t), cli.DefaultTemplate), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := server.Handler(cli.Host{Functions: functions()}, app.App, described)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func invoke(t *testing.T, rt *apptest.Runtime, e events.APIGatewayV2HTTPRequest) apptest.Answer {
	t.Helper()
	text, err := rt.Invoke(e)
	if err != nil {
		t.Fatal(err)
	}
	var a events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	got := apptest.Answer{Status: a.StatusCode, Header: http.Header{}, Body: a.Body}
	for name, value := range a.Headers {
		got.Header.Set(name, value)
	}
	if a.IsBase64Encoded {
		plain, err := base64.StdEncoding.DecodeString(a.Body)
		if err != nil {
			t.Fatal(err)
		}
		got.Body = string(plain)
	}
	return got
}

// anyRequest hides what differs between two requests that are alike.
func anyRequest(body string) string {
	return regexp.MustCompile(`"(requestId|token|expiresAt)":"[^"]+"`).ReplaceAllString(body, `"$1":"…"`)
}

// sameHeaders compares the headers but those that the gateway in front, or the server,
// adds by itself, and the length where the document holds the request's id.
func sameHeaders(t *testing.T, r request, got, want http.Header) {
	t.Helper()
	names := map[string]bool{}
	for name := range got {
		names[name] = true
	}
	for name := range want {
		names[name] = true
	}
	for name := range names {
		switch name {
		case "Date", "Apigw-Requestid", "Connection", "Content-Length":
			continue
		}
		if g, w := strings.Join(got.Values(name), ","), strings.Join(want.Values(name), ","); g != w {
			t.Errorf("%s %s: %s %q; the local host says %q", r.method, r.target, name, g, w)
		}
	}
}

func compareReports(t *testing.T, got, want []apptest.Report) {
	t.Helper()
	classes := func(all []apptest.Report) (list []string) {
		for _, r := range all {
			list = append(list, r.Error.Class+": "+r.Error.Message)
		}
		return list
	}
	if g, w := classes(got), classes(want); !slices.Equal(g, w) {
		t.Errorf("reported %q; the local host %q", g, w)
	}
}
