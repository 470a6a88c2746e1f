package workers

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tandem-api/tandem/shared/queue"
)

// Tx is a transaction of gorm, *gorm.DB. It is told by its methods and not by its name:
// by the name, every function that enqueues any job would link gorm and its databases.
type Tx[T any] interface {
	Exec(sql string, values ...any) T
	AddError(err error) error
}

// EnqueueTx enqueues the job if, and only if, the transaction is committed: it writes
// the job into the database, and a worker moves it into its queue within a second or
// so. The job then runs at least once, even if this process dies in between.
//
//	err := database.Transaction(ctx, db, func(tx *gorm.DB) error {
//		if err := models.Posts.Create(ctx, tx, &post); err != nil {
//			return err
//		}
//		_, err := workers.EnqueueTx(ctx, tx, workers.SlowJob, workers.SlowArgs{Seconds: 2})
//		return err
//	})
//
// It returns the job's id. That a unique job stands in its queue already is found out
// later, and the job left out.
func EnqueueTx[DB Tx[DB], Args any](ctx context.Context, tx DB, job queue.Job[Args], args Args, opts ...queue.Option) (id string, err error) {
	p, err := job.Prepare(ctx, args, opts...)
	if err != nil {
		return "", err
	}
	message, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("enqueue %s: %w", job.Kind, err)
	}
	now := time.Now().UTC().Truncate(time.Microsecond) // as the models stamp their rows
	const insert = `INSERT INTO outbox_jobs (created_at, updated_at, job_id, message, error) VALUES (?, ?, ?, ?, '')`
	// Of the result, AddError returns the error.
	if err := tx.Exec(insert, now, now, p.ID, string(message)).AddError(nil); err != nil {
		return "", fmt.Errorf("enqueue %s: %w", job.Kind, err)
	}
	return p.ID, nil
}
