// Package foo answers GET /v{version}/foo. It shows versions of one route, a query of
// the database, and a notice of one's own to Honeybadger.
package foo

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/report"
	"github.com/tandem-api/tandem/shared/version"
)

// Function is the foo controller.
var Function = function.Function{Name: "foo", Routes: routes}

// latest is the version that this function speaks; it still answers version 1.
const latest = 2

// v1Deprecated is when version 2 took over.
var v1Deprecated = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

func routes(app *function.App, r chi.Router) error {
	r.Get("/v{version}/foo", app.Handle(hello(app)))
	return nil
}

type answer struct {
	Hello   string `json:"hello"`
	Count   int64  `json:"count"` // how many users there are
	Version int    `json:"version"`
}

func hello(app *function.App) function.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v, err := version.Of(r, latest)
		if err != nil {
			return err
		}
		if v == 1 {
			version.Deprecate(w, v1Deprecated, "/v2/foo")
		}
		db, err := database.Of(app)
		if err != nil {
			return err
		}
		users, err := models.Users.Count(r.Context(), db)
		if err != nil {
			return err
		}
		app.Report.Message(r.Context(), "FooNotice", "foo was asked", report.Data(map[string]any{"users": users}))
		return function.JSON(w, http.StatusOK, answer{Hello: "world", Count: users, Version: v})
	}
}
