package models

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// OutboxJob is a job that was written in the transaction of other rows, and that a
// worker moves into its queue afterwards. workers.EnqueueTx writes it, package outbox
// moves it.
type OutboxJob struct {
	Base
	JobID   string `model:"show" json:"job_id"`
	Message string `model:"private" json:"-"` // JSON of a queue.Prepared
	// Error is why the job cannot be enqueued at all; empty for all that are well.
	Error string `json:"error"`
}

// OutboxJobs is the table of the jobs to be enqueued.
var OutboxJobs = Define[OutboxJob]()

func (j OutboxJob) String() string { return OutboxJobs.Describe(&j) }

// NextOutboxJobs returns jobs to be enqueued, the oldest first.
func NextOutboxJobs(ctx context.Context, db *gorm.DB, limit int) ([]OutboxJob, error) {
	var jobs []OutboxJob
	if err := db.WithContext(ctx).Where("error = ''").Order("id").Limit(limit).Find(&jobs).Error; err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	return jobs, nil
}

// RemoveOutboxJobs deletes jobs that have been enqueued.
func RemoveOutboxJobs(ctx context.Context, db *gorm.DB, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	if err := db.WithContext(ctx).Delete(&OutboxJob{}, ids).Error; err != nil {
		return fmt.Errorf("clear the outbox: %w", err)
	}
	return nil
}

// FailOutboxJob sets a job aside that cannot be enqueued at all.
func FailOutboxJob(ctx context.Context, db *gorm.DB, job *OutboxJob, why error) error {
	if err := db.WithContext(ctx).Model(job).Update("error", why.Error()).Error; err != nil {
		return fmt.Errorf("set a job of the outbox aside: %w", err)
	}
	return nil
}
