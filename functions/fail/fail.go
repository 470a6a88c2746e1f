// Package fail answers GET /fail by failing. It shows what becomes of a bug: the client
// gets a bare 500, and the report has the stack, the function and the request's id.
package fail

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/function"
)

// Function is the fail controller.
var Function = function.Function{Name: "fail", Routes: routes}

func routes(app *function.App, r chi.Router) error {
	r.Get("/fail", app.Handle(missingKey))
	return nil
}

func missingKey(w http.ResponseWriter, _ *http.Request) error {
	settings := map[string]any{"hello": "world"}
	greeting := settings["helo"].(string) // the bug: no such key, so nil is no string
	return function.JSON(w, http.StatusOK, map[string]string{"greeting": greeting})
}
