// Package outbox moves jobs that were written into the database, in the transactions of
// other rows, into their queues. See workers.EnqueueTx.
//
// A job is enqueued at least once: one whose row cannot be deleted afterwards, as the
// process dies for example, is enqueued again, and found there already while it stands
// in Redis.
package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/queue"
)

const (
	batch = 100
	// every is how often the relay looks into the database, and pause how long it rests
	// when something fails.
	every = 500 * time.Millisecond
	pause = 5 * time.Second
)

// Relay moves jobs until the context ends. One process at a time is enough.
func Relay(ctx context.Context, app *function.App) {
	for {
		wait := every
		n, err := move(ctx, app)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			app.Log.WarnContext(ctx, "the outbox is stuck for a moment", "error", err)
			wait = pause
		case n == batch:
			continue // there is more
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// All moves all jobs that are there.
func All(ctx context.Context, app *function.App) error {
	for {
		if n, err := move(ctx, app); err != nil || n < batch {
			return err
		}
	}
}

// move moves a batch of jobs, and returns how many it has dealt with.
func move(ctx context.Context, app *function.App) (int, error) {
	db, err := database.Of(app)
	if err != nil {
		return 0, err
	}
	jobs, err := models.NextOutboxJobs(ctx, db, batch)
	if err != nil {
		return 0, err
	}
	var done []int64
	for _, job := range jobs {
		_, err = queue.EnqueuePrepared(ctx, app, []byte(job.Message))
		switch {
		case errors.Is(err, queue.ErrIDTaken), errors.Is(err, queue.ErrDuplicate):
			err = nil
		case errors.Is(err, queue.ErrUnfit):
			app.Report.Notify(ctx, err)
			if err = models.FailOutboxJob(ctx, db, &job, err); err == nil {
				continue
			}
		}
		if err != nil {
			break
		}
		done = append(done, job.ID)
	}
	return len(jobs), errors.Join(err, models.RemoveOutboxJobs(ctx, db, done))
}
