// Package health answers GET /health: can this process reach what it depends on?
package health

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// Function is the health controller.
var Function = function.Function{Name: "health", Routes: routes}

// patience is how long a dependency may take to answer: load balancers and
// supervisors ask often, and give up soon.
const patience = 2 * time.Second

// The states of a dependency. Why it is unreachable stands in the log only.
const (
	ok            = "ok"
	unreachable   = "unreachable"
	notConfigured = "not configured" // counts as healthy: nothing here needs it
)

type answer struct {
	Status       string            `json:"status"` // ok or unavailable
	Dependencies map[string]string `json:"dependencies"`
}

// check asks one dependency for a sign of life.
type check struct {
	name string
	ping func(context.Context, *function.App) error
}

var checks = []check{{"database", pingDatabase}, {"redis", pingRedis}}

func routes(app *function.App, r chi.Router) error {
	r.Get("/health", app.Handle(health(app)))
	return nil
}

func health(app *function.App) function.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		states := make(chan [2]string, len(checks))
		for _, c := range checks {
			go func() { states <- [2]string{c.name, c.state(ctx, app)} }()
		}
		out, status := answer{Status: ok, Dependencies: map[string]string{}}, http.StatusOK
		for range checks {
			s := <-states
			out.Dependencies[s[0]] = s[1]
			if s[1] == unreachable {
				out.Status, status = "unavailable", http.StatusServiceUnavailable
			}
		}
		w.Header().Set("Cache-Control", "no-store")
		return function.JSON(w, status, out)
	}
}

// state runs the check, and gives up with the context even if the check does not.
func (c check) state(ctx context.Context, app *function.App) string {
	done := make(chan error, 1)
	go func() { done <- c.ping(ctx, app) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	switch {
	case err == nil:
		return ok
	case errors.Is(err, redisdb.ErrNotConfigured):
		return notConfigured
	}
	app.Log.WarnContext(ctx, "unhealthy", "dependency", c.name, "error", err)
	return unreachable
}

func pingDatabase(ctx context.Context, app *function.App) error {
	db, err := database.Of(app)
	if err != nil {
		return err
	}
	return database.Ping(ctx, db)
}

func pingRedis(ctx context.Context, app *function.App) error {
	client, err := redisdb.Of(app)
	if err != nil {
		return err
	}
	return client.Ping(ctx).Err()
}
