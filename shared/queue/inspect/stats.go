package inspect

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Stats are how many jobs there are, and who does them.
type Stats struct {
	Queues  []Queue  `json:"queues"`
	Workers []Worker `json:"workers"`
}

// Queue is how many of its jobs are in each state. A job that failed and runs again is
// processed, and failed, each time; the totals are those since the queue was made.
type Queue struct {
	Name      string  `json:"name"`
	Paused    bool    `json:"paused"`
	Latency   float64 `json:"latency"` // since when the oldest pending job waits, seconds
	Active    int     `json:"active"`
	Pending   int     `json:"pending"`
	Scheduled int     `json:"scheduled"`
	Retry     int     `json:"retry"`
	Archived  int     `json:"archived"`
	Completed int     `json:"completed"`
	Processed int     `json:"processed"`
	Failed    int     `json:"failed"`
}

// Worker is a worker process.
type Worker struct {
	Host        string    `json:"host"`
	PID         int       `json:"pid"`
	State       string    `json:"state"` // active, or stopped while it is paused or ends
	Concurrency int       `json:"concurrency"`
	Active      int       `json:"active"` // jobs under way, a few seconds ago
	Started     time.Time `json:"started"`
}

// Stats counts.
func (i *Inspector) Stats(ctx context.Context) (Stats, error) {
	return within(ctx, func() (Stats, error) {
		s := Stats{Queues: []Queue{}, Workers: []Worker{}}
		names, err := i.queues()
		if err != nil {
			return s, err
		}
		for _, name := range names {
			q, err := i.inspector.GetQueueInfo(name)
			if err != nil {
				return s, err
			}
			s.Queues = append(s.Queues, Queue{
				Name: name, Paused: q.Paused, Latency: q.Latency.Seconds(), Active: q.Active, Pending: q.Pending, Scheduled: q.Scheduled,
				Retry: q.Retry, Archived: q.Archived, Completed: q.Completed, Processed: q.ProcessedTotal, Failed: q.FailedTotal,
			})
		}
		servers, err := i.inspector.Servers()
		for _, w := range servers {
			s.Workers = append(s.Workers, Worker{
				Host: w.Host, PID: w.PID, State: w.Status, Concurrency: w.Concurrency, Active: len(w.ActiveWorkers), Started: w.Started,
			})
		}
		slices.SortFunc(s.Workers, func(a, b Worker) int {
			return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.PID, b.PID))
		})
		return s, err
	})
}
