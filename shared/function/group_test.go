package function_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/function"
)

// One place reports what all handlers return; the route tells the faults apart.
func TestTheErrorsOfARouteAreAGroup(t *testing.T) {
	fails := func(http.ResponseWriter, *http.Request) error { return errors.New("broken") }
	app := apptest.New(t)
	url := app.Serve(function.Function{Name: "tested", Routes: func(app *function.App, r chi.Router) error {
		r.Get("/users/{id}", app.Handle(fails))
		r.Delete("/users/{id}", app.Handle(fails))
		r.Get("/posts/{id}", app.Handle(fails))
		return nil
	}})
	for _, request := range []string{"GET /users/1", "GET /users/2", "DELETE /users/1", "GET /posts/1"} {
		method, path, _ := strings.Cut(request, " ")
		if got := apptest.Do(t, method, url+path, "", nil); got.Status != http.StatusInternalServerError {
			t.Fatalf("%s: %d", request, got.Status)
		}
	}
	group := map[string]bool{}
	reports := app.Reports()
	for _, r := range reports {
		group[r.Error.Fingerprint] = true
	}
	if len(reports) != 4 || len(group) != 3 || reports[0].Error.Fingerprint != reports[1].Error.Fingerprint || group[""] {
		t.Errorf("%d reports of %d groups; want 4 of 3, the first two in one", len(reports), len(group))
	}
}
