// Package function says what a function is (a name and its routes) and what it is
// given: the App, with its settings, log, reports and resources.
package function

import (
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"
)

// Function is a controller: a few routes that are deployed together. The same value
// runs on Lambda (lambdahttp.Start) and on the local host.
type Function struct {
	// Name is the folder's name under functions/.
	Name string
	// Routes adds the function's routes to the router. It runs once in a process,
	// before the first request, and is the place to fail when a setting that the
	// function needs is missing. A function that takes events only has none.
	Routes func(app *App, r chi.Router) error
	// Events makes what takes the events that are no requests. nil where there is
	// none.
	Events func(app *App) (EventHandler, error)
	// Quiet logs the requests that only read, and that went well, at debug level: for
	// what is polled all the time.
	Quiet bool
}

// Handler returns the function as one http.Handler, with the middleware that every
// function has.
func (f Function) Handler(app *App) (http.Handler, error) {
	r := chi.NewRouter()
	r.Use(identify(f.Name), access(app, f.Quiet), recovery(app))
	r.NotFound(app.Handle(notFound))
	// The gateway in front answers an unknown method as an unknown route.
	r.MethodNotAllowed(app.Handle(notFound))
	if f.Routes == nil {
		return r, nil
	}
	if err := f.Routes(app, r); err != nil {
		return nil, fmt.Errorf("function %s: %w", f.Name, err)
	}
	return r, nil
}
