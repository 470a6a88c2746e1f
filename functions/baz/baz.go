// Package baz answers GET /baz with a fact about cats. It shows a service of a third
// party, a cached answer, and a job for later.
package baz

import (
	"context"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/cache"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/services/catfacts"
	"github.com/tandem-api/tandem/shared/workers"
)

// Function is the baz controller.
var Function = function.Function{Name: "baz", Routes: routes}

const (
	keepFact     = time.Minute
	keepFallback = 5 * time.Second // so that the vendor's return is soon seen
	// patience is how long the enqueueing may take: together with the cache, a Redis
	// that hangs then costs a request less than a second.
	patience = 400 * time.Millisecond
)

func routes(app *function.App, r chi.Router) error {
	facts, err := catfacts.Of(app)
	if err != nil {
		return err
	}
	r.Get("/baz", app.Handle(cache.Route(app, cache.Options{TTL: keepFact, Public: true}, fact(app, facts))))
	return nil
}

type answer struct {
	Fact   string `json:"fact"`
	Source string `json:"source"` // catfact, or fallback while the vendor is down
}

var fallback = answer{Fact: "Cats sleep for most of the day.", Source: "fallback"}

// fact runs on a cache miss only.
func fact(app *function.App, facts *catfacts.Client) function.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx := r.Context()
		later(ctx, app)
		text, err := facts.Fact(ctx)
		if err != nil {
			app.Report.Notify(ctx, err)
			cache.For(ctx, keepFallback)
			return function.JSON(w, http.StatusOK, fallback)
		}
		return function.JSON(w, http.StatusOK, answer{Fact: text, Source: "catfact"})
	}
}

// later enqueues the slow job. The fact does not depend on it, so a queue that is
// down is reported and fails nobody's request.
func later(ctx context.Context, app *function.App) {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := workers.SlowJob.Enqueue(within, app, workers.SlowArgs{Seconds: 2}); err != nil {
		app.Report.Notify(ctx, err)
	}
}
