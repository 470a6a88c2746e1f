package queue

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/httperror"
)

// What a client of the queues may meet, beside an *httperror.Error of status 503.
var (
	// ErrDuplicate says that a unique job was there already.
	ErrDuplicate = errors.New("a job like this is in the queue already")
	// ErrIDTaken says that a job with this id was there already.
	ErrIDTaken = errors.New("a job with this id is in the queue already")
)

// DuplicateError is the ErrDuplicate of a job.
type DuplicateError struct {
	Kind string
	ID   string // of the job that was there already, where it could be found out
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("enqueue %s: %s: %s", e.Kind, ErrDuplicate, e.ID)
}

func (e *DuplicateError) Unwrap() error { return ErrDuplicate }

// SkipRetry makes a failure the last, where the job's error wraps it:
//
//	return fmt.Errorf("no such account: %w", queue.SkipRetry)
var SkipRetry = asynq.SkipRetry

const snoozed = "snoozed for "

// SnoozeError is what Snooze returns.
type SnoozeError struct{ For time.Duration }

func (e *SnoozeError) Error() string { return snoozed + e.For.String() }

// IsSnooze reports whether the text of an error is that of a SnoozeError, or of one that
// wraps it: asynq keeps no more of an error than its text.
func IsSnooze(text string) bool {
	at := strings.LastIndex(text, snoozed)
	if at < 0 {
		return false
	}
	_, err := time.ParseDuration(text[at+len(snoozed):])
	return err == nil
}

// Snooze returns an error that lets the job that returns it run again after d, to the
// second. It is no failure, and does not count as an attempt.
func Snooze(d time.Duration) error { return &SnoozeError{For: d} }

// ErrCancelled is the cause of a context that ended because someone cancelled the
// job.
var ErrCancelled = errors.New("cancelled")

func unavailable(kind string, cause error) error {
	return httperror.New(http.StatusServiceUnavailable, "The job queue does not answer. Try again later.").
		With("Retry-After", "5").
		Because(fmt.Errorf("enqueue %s: %w", kind, cause))
}
