package main

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/function"
)

// A function stands in four places: its folder, localhost/functions.go, template.yaml
// and, for its routes, its own code. These tests compare them, both ways.

func loadTemplate(t *testing.T) *template.Template {
	t.Helper()
	tmpl, err := template.Load("../template.yaml", template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

func folders(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("../functions")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestEveryFunctionStandsInTheListAndInTheTemplate(t *testing.T) {
	var listed, described []string
	for _, f := range functions() {
		listed = append(listed, f.Name)
	}
	for _, f := range loadTemplate(t).Functions() {
		described = append(described, f.Folder)
	}
	slices.Sort(described)
	want := folders(t)
	if !slices.Equal(listed, want) {
		t.Errorf("localhost/functions.go lists %v, and functions/ has %v", listed, want)
	}
	if !slices.Equal(described, want) {
		t.Errorf("template.yaml describes %v, and functions/ has %v", described, want)
	}
}

func TestTheTemplateNamesFunctionsByTheirFolder(t *testing.T) {
	for _, f := range loadTemplate(t).Functions() {
		id := strings.ToUpper(f.Folder[:1]) + f.Folder[1:] + "Function"
		if f.LogicalID != id {
			t.Errorf("%s: the function of functions/%s is %s, want %s", f.Position, f.Folder, f.LogicalID, id)
		}
		if want := "functions/" + f.Folder + "/bootstrap"; f.CodeURI != want {
			t.Errorf("%s: CodeUri is %s, want %s", f.Position, f.CodeURI, want)
		}
		if f.Runtime != "provided.al2023" || f.Handler != "bootstrap" {
			t.Errorf("%s: runtime %s, handler %s", f.Position, f.Runtime, f.Handler)
		}
	}
}

func TestRoutesAreTheSameInTheTemplateAndInTheCode(t *testing.T) {
	described := map[string][]string{}
	for _, r := range loadTemplate(t).Routes() {
		described[r.Function.Folder] = append(described[r.Function.Folder], r.Key())
	}
	app := apptest.New(t)
	for _, f := range functions() {
		t.Run(f.Name, func(t *testing.T) {
			want := routesInCode(t, app.App, f)
			got := described[f.Name]
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("template.yaml has %q, and the code %q", got, want)
			}
		})
	}
}

// What chi allows and API Gateway does not know: a pattern for a variable, and a
// variable that is not the whole of its part of the path.
var (
	pattern = regexp.MustCompile(`\{(\w+):[^}]*\}`)
	mixed   = regexp.MustCompile(`/(?:[^/{}]+(\{\w+\})[^/{}]*|(\{\w+\})[^/{}]+)`)
)

// routesInCode returns a function's routes as API Gateway would name them.
func routesInCode(t *testing.T, app *function.App, f function.Function) []string {
	t.Helper()
	if f.Routes == nil {
		return nil
	}
	r := chi.NewRouter()
	if err := f.Routes(app, r); err != nil {
		t.Fatal(err)
	}
	var keys []string
	err := chi.Walk(r, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		route = strings.ReplaceAll(route, "/*/", "/") // where a router is mounted
		if before, all := strings.CutSuffix(route, "/*"); all {
			route = before + "/{proxy+}"
		}
		route = mixed.ReplaceAllString(pattern.ReplaceAllString(route, "{$1}"), "/$1$2")
		keys = append(keys, method+" "+route)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	return keys
}

// part is what API Gateway takes of a path between slashes; it refuses to create a route
// with any other ("One or more path parts appear to be invalid").
var part = regexp.MustCompile(`^(\{[\w.:-]+\+?\}|[a-zA-Z0-9.:_-]+)$`)

func TestAPIGatewayTakesThePaths(t *testing.T) {
	for _, r := range loadTemplate(t).Routes() {
		if r.Path == template.Default || r.Path == "/" {
			continue
		}
		for p := range strings.SplitSeq(strings.TrimPrefix(r.Path, "/"), "/") {
			if !part.MatchString(p) {
				t.Errorf("%s: %q in %s: a variable has to be a whole part of a path", r.Position, p, r.Path)
			}
		}
	}
}

func TestEveryFunctionBehindARouteHasARecordedEvent(t *testing.T) {
	routes := map[string][]string{}
	for _, r := range loadTemplate(t).Routes() {
		routes[r.Function.Folder] = append(routes[r.Function.Folder], r.Key())
	}
	for name, keys := range routes {
		var event struct {
			Version        string `json:"version"`
			RouteKey       string `json:"routeKey"`
			RequestContext struct {
				RouteKey string `json:"routeKey"`
			} `json:"requestContext"`
		}
		if err := json.Unmarshal(apptest.EventFile(t, name), &event); err != nil {
			t.Errorf("events/%s.json: %v", name, err)
		}
		if event.Version != "2.0" || !slices.Contains(keys, event.RouteKey) || event.RequestContext.RouteKey != event.RouteKey {
			t.Errorf("events/%s.json: version %q, route %q; want version 2.0 and one of %q", name, event.Version, event.RouteKey, keys)
		}
	}
}
