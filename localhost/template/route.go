package template

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Route is what an HttpApi or Api event asks for.
type Route struct {
	Method   string // GET, POST, …, or ANY
	Path     string // /v{version}/foo, /files/{path+}, or $default
	Function *Function
	API      *API
	// PayloadVersion is that of the event which the function gets: "2.0" or "1.0".
	PayloadVersion string
	// Timeout is how long the gateway waits for the function.
	Timeout  time.Duration
	Throttle *Throttle   // nil: not limited here
	Auth     *Authorizer // nil: open to all
	Scopes   []string    // of which a token must have one
	Event    string      // the event's name in the template
	Position Position
}

// Key is the route as API Gateway names it: "GET /foo", or "$default".
func (r Route) Key() string {
	if r.Path == Default {
		return Default
	}
	return r.Method + " " + r.Path
}

// Default is the path of the route that takes what no other route does.
const Default = "$default"

// How long a gateway waits for a function (API Gateway, "http-api-quotas" and
// "limits" of a REST API).
const (
	httpTimeout = 30 * time.Second
	restTimeout = 29 * time.Second
)

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "ANY"}

// routes collects the routes of all functions, and notes those that stand twice.
func (r *resolver) routes(t *Template) []Route {
	var all []Route
	first := map[string]Route{}
	for _, f := range t.functions {
		for _, e := range f.Events {
			if e.Type != string(HTTP) && e.Type != string(REST) {
				continue
			}
			route, ok := r.route(f, e)
			if !ok {
				continue
			}
			key := route.API.LogicalID + " " + route.Method + " " + shape(route.Path)
			if other, twice := first[key]; twice {
				r.fail(&Error{e.Position, fmt.Sprintf("%s is the route of %s already (line %d): remove one of them",
					route.Key(), other.Function.LogicalID, other.Position.Line)})
				continue
			}
			first[key] = route
			all = append(all, route)
		}
	}
	return all
}

var variable = regexp.MustCompile(`\{[^{}]*?(\+?)\}`)

// shape is a path without its variables' names: two paths of one shape match the
// same requests.
func shape(path string) string { return variable.ReplaceAllString(path, "{$1}") }

func (r *resolver) route(f *Function, e Event) (Route, bool) {
	kind := Kind(e.Type)
	p := e.properties
	before := len(r.wrong)
	out := Route{Function: f, Event: e.Name, Position: e.Position, Timeout: httpTimeout}
	out.Method, out.Path = strings.ToUpper(r.optional(p, "Method")), r.optional(p, "Path")
	id := "RestApiId"
	if kind == HTTP {
		id = "ApiId"
	}
	out.API = r.api(r.apiID(p, id, kind), kind)
	if kind == HTTP {
		r.httpRoute(&out, p)
	} else {
		out.PayloadVersion, out.Timeout = "1.0", restTimeout
		if len(out.Path) > 1 {
			// API Gateway takes it away (SAM's own source says so).
			out.Path = strings.TrimSuffix(out.Path, "/")
		}
	}
	r.routeAuth(&out, r.mapping(p, "Auth"))
	if out.Method == "X-AMAZON-APIGATEWAY-ANY-METHOD" || out.Method == "*" {
		out.Method = "ANY"
	}
	if !slices.Contains(methods, out.Method) {
		r.fail(r.at(or(field(p, "Method"), p), "the Method of event %s is %q, and must be one of %s", e.Name, out.Method, strings.Join(methods, ", ")))
	}
	if fault := wrongPath(out.Path); fault != "" {
		r.fail(r.at(or(field(p, "Path"), p), "the Path of event %s is %q: %s", e.Name, out.Path, fault))
	}
	return out, len(r.wrong) == before
}

func or(a, b *yaml.Node) *yaml.Node {
	if a != nil {
		return a
	}
	return b
}

// httpRoute reads what only an HttpApi event has.
func (r *resolver) httpRoute(out *Route, p *yaml.Node) {
	if out.Method == "" && out.Path == "" {
		out.Method, out.Path = "ANY", Default
	}
	if out.Path == "/"+Default || out.Path == Default {
		out.Method, out.Path = "ANY", Default
	}
	out.PayloadVersion = "2.0"
	if v := r.optional(p, "PayloadFormatVersion"); v != "" {
		out.PayloadVersion = v
		if v != "2.0" && v != "1.0" {
			r.fail(r.at(field(p, "PayloadFormatVersion"), "PayloadFormatVersion is %q, and must be \"2.0\" or \"1.0\"", v))
		}
	}
	out.Timeout = time.Duration(r.number(p, "TimeoutInMillis", int(httpTimeout.Milliseconds()), 50, int(httpTimeout.Milliseconds()))) * time.Millisecond
	out.Throttle = r.throttle(r.mapping(out.API.routeSettings, out.Key()), out.API.Throttle)
	out.Throttle = r.throttle(r.mapping(p, "RouteSettings"), out.Throttle)
}

func (r *resolver) routeAuth(out *Route, auth *yaml.Node) {
	name, from := out.API.defaultAuthorizer, field(out.API.auth, "DefaultAuthorizer")
	if own := r.optional(auth, "Authorizer"); own != "" {
		name, from = own, field(auth, "Authorizer")
	}
	if name == "" || name == "NONE" {
		r.keyAuth(out, auth)
		return
	}
	if out.Auth = r.authorizer(out.API, name, from); out.Auth == nil {
		return
	}
	out.Scopes = out.Auth.Scopes
	if field(auth, "AuthorizationScopes") != nil {
		out.Scopes = r.textList(auth, "AuthorizationScopes")
	}
}

// keyAuth reads ApiKeyRequired, of a REST API, which stands with no authorizer here: it is
// not checked, and has to be told.
func (r *resolver) keyAuth(out *Route, auth *yaml.Node) {
	from := auth
	if field(auth, "ApiKeyRequired") == nil {
		from = out.API.auth
	}
	if out.API.Kind != REST || !r.boolean(from, "ApiKeyRequired") {
		return
	}
	if out.Auth = out.API.Authorizers[APIKey]; out.Auth == nil {
		out.Auth = &Authorizer{Name: "ApiKeyRequired", Type: APIKey, Position: r.position(field(from, "ApiKeyRequired"))}
		out.API.Authorizers[APIKey] = out.Auth
	}
}

// apiID finds the API that an event names: !Ref Api, or its name as a text.
func (r *resolver) apiID(p *yaml.Node, name string, kind Kind) string {
	n := field(p, name)
	if n == nil {
		if kind == HTTP {
			return implicitHTTPAPI
		}
		return implicitRESTAPI
	}
	if function, arg, ok := intrinsic(n); ok && function == "Ref" && arg != nil {
		if res := r.byID[arg.Value]; res != nil {
			if res.kind != "AWS::Serverless::"+string(kind) {
				r.fail(r.at(n, "%s is an %s, and %s needs an AWS::Serverless::%s", arg.Value, res.kind, name, kind))
			}
			return arg.Value
		}
	}
	return r.optional(p, name)
}

// wrongPath says what is wrong with a route's path, "" if nothing (API Gateway,
// "http-api-develop-routes").
func wrongPath(path string) string {
	switch {
	case path == Default:
		return ""
	case !strings.HasPrefix(path, "/"):
		return "it must start with /"
	case strings.ContainsAny(path, "*?# "):
		return "it may have no *, ?, # or space"
	case len(path) > 1 && strings.HasSuffix(path, "/"):
		return "API Gateway deploys no route that ends in /"
	}
	seen := map[string]bool{}
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		for rest := segment; ; {
			open := strings.IndexAny(rest, "{}")
			if open < 0 {
				break
			}
			end := strings.IndexByte(rest[open:], '}')
			if rest[open] == '}' || end < 0 {
				return "a { or } has no counterpart"
			}
			name := rest[open+1 : open+end]
			if strings.HasSuffix(name, "+") && (!last || segment != "{"+name+"}") {
				return "{" + name + "} must be its whole last part"
			}
			name = strings.TrimSuffix(name, "+")
			if !validName.MatchString(name) {
				return "{" + name + "} is no name of a variable"
			}
			if seen[name] {
				return "{" + name + "} stands twice"
			}
			seen[name] = true
			rest = rest[open+end+1:]
			if strings.HasPrefix(rest, "{") {
				return "two variables need something between them"
			}
		}
	}
	return ""
}

var validName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// apisOf returns the APIs that have a route, in the order of the routes.
func apisOf(routes []Route) []*API {
	var all []*API
	for _, route := range routes {
		if !slices.Contains(all, route.API) {
			all = append(all, route.API)
		}
	}
	return all
}
