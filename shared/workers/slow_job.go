package workers

import (
	"context"
	"time"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
)

// SlowArgs are the arguments of SlowJob.
type SlowArgs struct {
	Seconds int `json:"seconds"` // 0 to 60
}

// SlowResult is what SlowJob keeps as its result.
type SlowResult struct {
	Slept int `json:"slept"` // seconds
}

// SlowJob takes its time: an example, and something to watch on the dashboard.
var SlowJob = queue.Job[SlowArgs]{
	Kind:    "slow_job",
	Retries: 3,
	Timeout: 2 * time.Minute,
	Keep:    24 * time.Hour,
	Public:  true,
	Schema: `{
		"type": "object",
		"properties": {"seconds": {"type": "integer", "minimum": 0, "maximum": 60}},
		"required": ["seconds"],
		"additionalProperties": false
	}`,
	Do: func(ctx context.Context, _ *function.App, args SlowArgs) error {
		select {
		case <-time.After(time.Duration(args.Seconds) * time.Second):
			return queue.SetResult(ctx, SlowResult{Slept: args.Seconds})
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	},
}
