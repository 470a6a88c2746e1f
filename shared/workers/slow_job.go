package workers

import (
	"context"
	"time"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
)

// SlowArgs are the arguments of SlowJob.
type SlowArgs struct {
	Seconds int `json:"seconds"`
}

// SlowJob takes its time: an example, and something to watch on the dashboard.
var SlowJob = queue.Job[SlowArgs]{
	Kind: "slow_job",
	Do: func(ctx context.Context, _ *function.App, args SlowArgs) error {
		select {
		case <-time.After(time.Duration(args.Seconds) * time.Second):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	},
}
