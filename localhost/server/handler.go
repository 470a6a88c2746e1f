package server

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/console"
	"github.com/tandem-api/tandem/localhost/gateway"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue/metrics"
)

// Handler returns what `localhost serve` answers with, for a template, without the
// workers: tests and benchmarks ask it in their own process.
func Handler(h cli.Host, app *function.App, t *template.Template) (http.Handler, error) {
	return server{host: h, app: app, template: t}.handler()
}

// handler returns everything that the host serves: what API Gateway would, beside it
// Lambda's API and the console's pages.
func (s server) handler() (http.Handler, error) {
	o := gateway.Options{
		Template: s.template, Handler: s.inProcess(), Invoke: s.invoke,
		Keys: s.options.jwks, Throttle: s.options.throttle, Log: s.app.Log,
	}
	if s.isolated != nil {
		o.Handler, o.Edits, o.Isolated = s.isolated.Handler, s.isolated.Edits, true
	}
	api, err := gateway.New(o)
	if err != nil {
		return nil, cli.UsageError{Err: err}
	}
	pages, err := console.New(s.app, s.consoleOptions())
	if err != nil {
		return nil, err
	}
	lambdaAPI, err := s.lambdaAPI()
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, console.Root) || r.URL.Path+"/" == console.Root:
			pages.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, lambda.InvokePath), strings.HasPrefix(r.URL.Path, lambda.StreamPath):
			lambdaAPI.ServeHTTP(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	}), nil
}

// inProcess returns what gives the handlers of the template's functions, each one of
// ours. Several of the template may be the same one.
func (s server) inProcess() func(*template.Function) (http.Handler, error) {
	made := map[string]http.Handler{}
	return func(f *template.Function) (http.Handler, error) {
		if h := made[f.Folder]; h != nil {
			return h, nil
		}
		known, ok := s.functionOf(f)
		if !ok {
			return nil, cli.UsageError{Err: notOurs(f)}
		}
		h, err := known.Handler(s.app)
		if err != nil {
			return nil, cli.UsageError{Err: err}
		}
		made[f.Folder] = h
		return h, nil
	}
}

// functionOf is the function of this program that the template means.
func (s server) functionOf(f *template.Function) (function.Function, bool) {
	for _, known := range s.host.Functions {
		if known.Name == f.Folder {
			return known, true
		}
	}
	return function.Function{}, false
}

func notOurs(f *template.Function) error {
	return fmt.Errorf("%s: there is no function %q in localhost/functions.go (-isolate runs others, too)", f.Position, f.Folder)
}

func (s server) consoleOptions() console.Options {
	o := console.Options{Metrics: metrics.Handler(s.app), EmbeddedRedis: s.redisEmbedded(), Workers: s.options.workers}
	for _, r := range s.template.Routes() {
		o.Routes = append(o.Routes, console.Route{Method: r.Method, Path: r.Path, Function: cli.NameOf(r.Function)})
	}
	return o
}
