// Package gateway answers as API Gateway does, over the functions of a template:
// it routes, limits, times out, adds and takes away headers, and answers in the
// function's place when that fails. What stands behind a route is an http.Handler:
// the function's own in this process, or one that makes an event of the request (see
// Event) for the function's process.
package gateway

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"golang.org/x/time/rate"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
)

// Options say what a gateway stands in front of.
type Options struct {
	Template *template.Template
	// Handler returns what answers for a function. It is called once for each
	// function that has a route.
	Handler func(*template.Function) (http.Handler, error)
	// Invoke returns what runs the events of a function that authorizes requests, nil
	// where it cannot run here.
	Invoke func(*template.Function) lambda.Invoke
	// Edits counts the edits of such a function's code: what it said before one is not
	// kept. nil: it stays as it is.
	Edits func(*template.Function) int64
	// Keys say where the keys of an issuer of tokens are: a file, a URL, or "" for
	// where its own OIDC document says.
	Keys map[string]string
	// Isolated says that the handlers keep the functions' time-outs themselves, as
	// a pool does that kills a process. Otherwise the gateway gives the answer at the
	// time-out and ends the handler's context.
	Isolated bool
	// Throttle enforces the rates that the template allows (ThrottlingRateLimit).
	// They are meant for the deployed API: a load test of one's own
	// machine should not run into them unasked. Reserved concurrency always counts.
	Throttle bool
	// Log tells of time-outs, of panics that no middleware has caught, and of answers
	// that cannot be sent; nil: nothing is told.
	Log *slog.Logger
}

// Gateway is an http.Handler.
type Gateway struct {
	log      *slog.Logger
	apis     []*api
	tiers    [3]*chi.Mux // see router.go
	contexts sync.Pool   // of *chi.Context
	buffers  buffers
	port     atomic.Pointer[port]
}

// api is an API with its rules.
type api struct {
	*template.API
	*rules
	prefix string // "" or /stage
	cors   *cors  // nil: not configured
}

// route is what a request is routed to.
type route struct {
	template.Route
	gateway *Gateway
	api     *api
	target  *target
	tier    int
	names   []string      // of the path's variables, in order
	guard   guard         // nil: open to all
	rate    *rate.Limiter // nil: not limited
	watch   watch
}

// target is a function, shared by its routes.
type target struct {
	handler http.Handler
	routes  chi.Routes // the handler, where it is a router of chi's; else nil
	name    string
	timeout time.Duration // 0: the handler keeps it
	limit   int64         // of requests at once; -1: none
	running atomic.Int64
}

// New returns the gateway in front of a template's functions. The error says which
// function or route cannot be served.
func New(o Options) (*Gateway, error) {
	g := &Gateway{log: o.Log}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	g.contexts.New = func() any { return chi.NewRouteContext() }
	apis := map[*template.API]*api{}
	for _, a := range o.Template.APIs() {
		one := &api{API: a, rules: rulesOf(a.Kind), prefix: a.Prefix(), cors: newCORS(a.CORS)}
		apis[a] = one
		g.apis = append(g.apis, one)
	}
	targets := map[*template.Function]*target{}
	var routes []*route
	for _, r := range o.Template.Routes() {
		t := targets[r.Function]
		if t == nil {
			var err error
			if t, err = newTarget(o, r.Function); err != nil {
				return nil, err
			}
			targets[r.Function] = t
		}
		routes = append(routes, newRoute(o, g, r, apis[r.API], t))
	}
	g.newTiers(routes)
	if err := g.guard(o, routes); err != nil {
		return nil, err
	}
	return g, nil
}

func newRoute(o Options, g *Gateway, r template.Route, a *api, t *target) *route {
	rt := &route{Route: r, gateway: g, api: a, target: t}
	rt.watch.wait = r.Timeout
	if t.timeout > 0 {
		rt.watch.wait = min(r.Timeout, t.timeout)
	}
	if o.Throttle && r.Throttle != nil {
		rt.rate = rate.NewLimiter(rate.Limit(r.Throttle.Rate), r.Throttle.Burst)
	}
	return rt
}

func newTarget(o Options, f *template.Function) (*target, error) {
	h, err := o.Handler(f)
	if err != nil {
		return nil, fmt.Errorf("function %s: %w", f.LogicalID, err)
	}
	t := &target{handler: h, name: f.LogicalID, timeout: f.Timeout, limit: -1}
	t.routes, _ = h.(chi.Routes)
	if f.Folder != "" {
		t.name = f.Folder
	}
	if o.Isolated {
		t.timeout = 0
	}
	if f.Reserved != nil {
		t.limit = int64(*f.Reserved)
	}
	return t, nil
}

// ServeHTTP answers a request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := g.arrive(w, r)
	switch {
	case headSize(r) > maxHead:
		c.refuse(headTooLarge)
	case c.api != nil && c.api.cors != nil && preflight(r):
		c.api.cors.answer(w, r)
	case !slices.Contains(anyMethod, r.Method):
		c.refuse(c.rules().unknown)
	default:
		g.route(c, r)
	}
}

// apiOf finds the API that a path belongs to, by its stage. Without any it is nil.
func (g *Gateway) apiOf(path string) *api {
	var found *api
	for _, a := range g.apis {
		if within(path, a.prefix) && (found == nil || len(a.prefix) > len(found.prefix)) {
			found = a
		}
	}
	return found
}
