package gateway

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/localhost/template"
)

// A request goes to the first of these that has a route for its path and method
// ("http-api-develop-routes"): a full match, then a greedy one, then $default. Each
// is a chi router that hands on what it does not know. One router for all would look
// at one branch of its tree to the end, greedy route included, before the next:
// /a/{rest+} would take /a/b from /{x}/b.
const (
	full = iota
	greedy
	fallback
)

// newTiers builds the routers. Routes for ANY are added first: chi lets the last
// route of a method and path win, and one that names its method beats ANY.
func (g *Gateway) newTiers(routes []*route) {
	for i := range g.tiers {
		next := func(w http.ResponseWriter, r *http.Request) { g.next(w, r, i+1) }
		g.tiers[i] = chi.NewRouter()
		g.tiers[i].NotFound(next)
		g.tiers[i].MethodNotAllowed(next)
	}
	for _, rt := range routes {
		if rt.Method == "ANY" {
			g.add(rt, anyMethod...)
		}
	}
	for _, rt := range routes {
		if rt.Method != "ANY" {
			g.add(rt, rt.Method)
		}
	}
}

// route finds the request's route and serves it.
func (g *Gateway) route(c *call, r *http.Request) {
	c.chi = g.contexts.Get().(*chi.Context)
	defer g.contexts.Put(c.chi)
	r = r.WithContext(c)
	r.URL = routed(r.URL)
	c.escaped = r.URL.RawPath != ""
	g.next(c.w, r, full)
}

// next tries the routers from the given one on.
func (g *Gateway) next(w http.ResponseWriter, r *http.Request, tier int) {
	c := r.Context().(*call)
	if tier == len(g.tiers) {
		c.refuse(c.rules().unknown)
		return
	}
	c.chi.Reset()
	g.tiers[tier].ServeHTTP(w, r)
}

// ServeHTTP is where chi has found the route.
func (rt *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := r.Context().(*call)
	if rt.misses(c.chi.URLParams.Values) {
		rt.gateway.next(w, r, rt.tier+1)
		return
	}
	c.route, c.api, c.cors, c.multi = rt, rt.api, rt.api.cors, rt.PayloadVersion == "1.0"
	rt.serve(c, r)
}

// misses says that a variable would be empty, which no full match has: chi lets
// /pets//toys pass for /pets/{id}/toys.
func (rt *route) misses(values []string) bool {
	for i, value := range values {
		if value == "" && (rt.tier == full || (rt.tier == greedy && (i < len(values)-1 || !greedyTakesNothing))) {
			return true
		}
	}
	return false
}

var variables = regexp.MustCompile(`\{([^{}]+?)(\+?)\}`)

// add enters the route in its router.
func (g *Gateway) add(rt *route, methods ...string) {
	path := rt.Path
	switch {
	case path == template.Default:
		rt.tier, path = fallback, "/*"
	case strings.HasSuffix(path, "+}"):
		rt.tier = greedy
	}
	for _, v := range variables.FindAllStringSubmatch(rt.Path, -1) {
		rt.names = append(rt.names, v[1])
		if v[2] == "+" {
			path = strings.TrimSuffix(path, v[0]) + "*"
		}
	}
	patterns := []string{rt.api.prefix + path}
	if rt.api.prefix != "" && (path == "/" || path == "/*") {
		patterns = append(patterns, rt.api.prefix) // /stage is its root, too
	}
	for _, pattern := range patterns {
		for _, method := range methods {
			g.tiers[rt.tier].Method(method, pattern, rt)
		}
	}
}
