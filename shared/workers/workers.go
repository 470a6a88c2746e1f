// Package workers holds the jobs, each in a file of its own: its kind, its typed
// arguments and what it does.
//
// What a job's file imports is linked into every function that enqueues any job.
package workers

import "github.com/tandem-api/tandem/shared/queue"

// All returns every job that a worker does.
func All() []queue.Declared {
	return []queue.Declared{
		AnnouncePost,
		SlowJob,
	}
}
