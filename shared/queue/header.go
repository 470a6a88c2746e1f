package queue

import "time"

// The headers of a job in Redis: what travels beside its arguments.
const (
	// HeaderTrace is the trace that the job is part of.
	HeaderTrace = "trace"
	// HeaderRetries is how often the job may run again after it failed. asynq's own
	// limit is one higher: it counts the loss of a worker, and would archive a job
	// that was only put off (snoozed) during its last attempt.
	HeaderRetries = "retries"
)

// TimeoutGrace is how much later than the job's own time-out asynq gives up on it.
// The worker ends the job's context itself, and has this long to see what became of
// it.
const TimeoutGrace = 5 * time.Second
