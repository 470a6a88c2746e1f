// Package work does jobs on AWS Lambda. A schedule calls it each minute, and it works
// until the queues are empty or its own time is nearly up. It knows no job by itself:
// it does all that `localhost worker` does.
//
// docs/jobs.md says when it is enough, and when a worker that is always there is
// better.
package work

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue/worker"
	"github.com/tandem-api/tandem/shared/workers"
)

// Function is the work controller. It takes a scheduler's events, and no requests.
var Function = function.Function{Name: "work", Events: events}

// patience is how long it works where nobody sets a deadline: Lambda always does.
const patience = time.Minute

func events(app *function.App) (function.EventHandler, error) {
	return func(ctx context.Context, _ json.RawMessage) (any, error) {
		if _, ok := ctx.Deadline(); !ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, patience)
			defer cancel()
		}
		return worker.Drain(ctx, app, workers.All(), worker.Options{Outbox: true})
	}, nil
}
