// Package console is the pages under /internal/ of the local host: an overview, the
// dashboard of the jobs and the metrics. They never exist on Lambda.
package console

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// Where the pages are. Root is also where the host has to mount the handler.
const (
	Root          = "/internal/"
	dashboardPath = "/internal/asynq"
	metricsPath   = "/internal/metrics"
	staticPath    = "/internal/static/"
)

// Options say what the pages show. Nothing in them is required.
type Options struct {
	// Version of the program; "" shows what the build recorded.
	Version string
	// Routes of the functions, in the order in which they are to be listed.
	Routes []Route
	// Links are further pages that the overview leads to.
	Links []Link
	// EmbeddedRedis says that app.Config.RedisURL is a Redis inside this process.
	EmbeddedRedis bool
	// Workers is how many jobs this process runs at once; 0: it runs none.
	Workers int
	// Metrics answers /internal/metrics; nil: there are none.
	Metrics http.Handler
}

// Route is a route of a function, as in template.yaml.
type Route struct {
	Method   string // GET, …, or ANY
	Path     string // with its variables in braces: /v{version}/foo
	Function string // the function's name
}

// Link leads to another page.
type Link struct {
	Title, URL string
	About      string // what is there, in a few words
}

// New returns the handler of everything under /internal/, guarded: see docs/console.md
// for who may see it. It expects requests with their whole path, and it connects to
// Redis only when a page asks for it. The error is a setting that is wrong.
func New(app *function.App, o Options) (http.Handler, error) {
	rdb, err := redisdb.Of(app)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	pages, err := newPages(app.Config, o)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	dash, err := newDashboard(app, rdb, pages)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	over := newOverview(app, o, rdb, pages, time.Now())
	console := function.Function{Name: "console", Quiet: true, Routes: func(app *function.App, r chi.Router) error {
		r.Use(securityHeaders, newGuard(app).protect, middleware.GetHead)
		r.Get("/internal", redirect(Root))
		r.Get(Root, app.Handle(over.serve))
		r.Get(staticPath+"{name}", app.Handle(serveStatic))
		r.Handle(dashboardPath, dash)
		r.Handle(dashboardPath+"/*", dash)
		// The name of the dashboard that this one stands in for.
		r.Get("/internal/rq", redirect(dashboardPath))
		r.Get("/internal/rq/*", redirect(dashboardPath))
		if o.Metrics != nil {
			r.Handle(metricsPath, o.Metrics)
		}
		return nil
	}}
	h, err := console.Handler(app)
	if err != nil {
		return nil, err
	}
	return wholePath(h), nil
}

// wholePath forgets how the host's own router came here, so that the paths above are
// matched from their beginning, whichever way the handler is mounted.
func wholePath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var none *chi.Context
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, none)))
	})
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}
