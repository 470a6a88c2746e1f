package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/tandem-api/tandem/localhost/console"
	"github.com/tandem-api/tandem/localhost/gateway"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/function"
)

// handler returns everything that the host serves: the console's pages, and beside them
// what API Gateway would.
func (s server) handler() (http.Handler, error) {
	o := gateway.Options{Template: s.template, Handler: s.inProcess, Throttle: s.options.throttle, Log: s.app.Log}
	if s.isolated != nil {
		o.Handler, o.Isolated = s.isolated.Handler, true
	}
	api, err := gateway.New(o)
	if err != nil {
		return nil, err
	}
	pages, err := console.New(s.app, s.consoleOptions())
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, console.Root) || r.URL.Path+"/" == console.Root {
			pages.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	}), nil
}

// inProcess returns the handler of the template's function, which is one of ours.
func (s server) inProcess(f *template.Function) (http.Handler, error) {
	for _, known := range functions() {
		if known.Name == f.Folder {
			return s.handlerOf(known)
		}
	}
	return nil, fmt.Errorf("%s: there is no function %q in localhost/functions.go", f.Position, f.Folder)
}

func (s server) handlerOf(f function.Function) (http.Handler, error) {
	h, err := f.Handler(s.app)
	if err != nil {
		return nil, usageError{err}
	}
	return h, nil
}

func (s server) consoleOptions() console.Options {
	o := console.Options{EmbeddedRedis: s.embedded != nil, Workers: s.options.workers}
	for _, r := range s.template.Routes() {
		o.Routes = append(o.Routes, console.Route{Method: r.Method, Path: r.Path, Function: nameOf(r.Function)})
	}
	return o
}
