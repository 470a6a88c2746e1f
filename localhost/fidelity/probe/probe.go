// Package probe is the function that the cases ask: it tells what it has seen of a
// request, and answers in every way that the cases need.
package probe

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/function"
)

// Function is the probe. Whatever routes lead to it, in whichever template, it
// answers: what the gateway has routed wrongly is seen by the case, not hidden by the
// function's own 404.
var Function = function.Function{Name: "probe", Routes: routes, Events: guard}

func routes(app *function.App, r chi.Router) error {
	see := func(w http.ResponseWriter, r *http.Request) error { return see(app, w, r) }
	seen := app.Handle(see)
	answers := app.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if answer, ok := answers[chi.URLParam(r, "what")]; ok {
			return answer(w, r)
		}
		return see(w, r)
	})
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		for _, pattern := range []string{
			"/items/{id}", "/items/{id}/parts/{part}", "/v{version}/items", "/files/*",
		} {
			r.Method(method, pattern, seen)
		}
		for _, pattern := range []string{"/do/{what}", "/brief/{what}", "/late/{what}", "/single/{what}"} {
			r.Method(method, pattern, answers)
		}
		r.Method(method, "/*", seen)
	}
	return nil
}
