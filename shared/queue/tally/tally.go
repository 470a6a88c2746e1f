// Package tally counts what becomes of the jobs, over all workers: each keeps its
// counts for a moment and adds them to those in Redis. What a worker has not added when
// it is killed is not counted.
package tally

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Outcome is what became of one run of a job.
type Outcome string

// The outcomes.
const (
	Done      Outcome = "done"
	Retried   Outcome = "retried" // it failed, and runs again
	Failed    Outcome = "failed"  // it failed for good
	Snoozed   Outcome = "snoozed"
	Cancelled Outcome = "cancelled"
)

// Buckets returns the upper bounds of the durations' histogram, in seconds. A further
// bucket holds what is longer.
func Buckets() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900}
}

// key is a hash of counts. Its fields are
//
//	n|KIND|QUEUE|OUTCOME  how many runs ended so
//	b|KIND|BUCKET         how many runs took so long, the number of the bucket
//	s|KIND                how long all of them took, microseconds
const key = "tandem:tally"

const separator = "|"

// Tally is one worker's counts.
type Tally struct {
	buckets []float64
	mu      sync.Mutex
	counts  map[field]int64 // since the last flush
}

// field is one of the hash's, whose text is not needed until the flush.
type field struct {
	what        byte // n, b or s
	kind, queue string
	outcome     Outcome
	bucket      int
}

func (f field) String() string {
	text := string(f.what) + separator + clean(f.kind)
	switch f.what {
	case 'n':
		text += separator + clean(f.queue) + separator + string(f.outcome)
	case 'b':
		text += separator + strconv.Itoa(f.bucket)
	}
	return text
}

// New returns an empty tally.
func New() *Tally { return &Tally{buckets: Buckets(), counts: map[field]int64{}} }

// Add counts a run.
func (t *Tally) Add(kind, queue string, outcome Outcome, took time.Duration) {
	bucket := 0
	for bucket < len(t.buckets) && took.Seconds() > t.buckets[bucket] {
		bucket++
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[field{what: 'n', kind: kind, queue: queue, outcome: outcome}]++
	t.counts[field{what: 'b', kind: kind, bucket: bucket}]++
	t.counts[field{what: 's', kind: kind}] += took.Microseconds()
}

// clean keeps a name from being taken for two.
func clean(name string) string { return strings.ReplaceAll(name, separator, "_") }

// Flush adds the counts to those in Redis. If it cannot, they stay for the next time.
func (t *Tally) Flush(ctx context.Context, c redis.UniversalClient) error {
	t.mu.Lock()
	counts := t.counts
	t.counts = map[field]int64{}
	t.mu.Unlock()
	if len(counts) == 0 {
		return nil
	}
	_, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error {
		for field, n := range counts {
			p.HIncrBy(ctx, key, field.String(), n)
		}
		return nil
	})
	if err == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for field, n := range counts {
		t.counts[field] += n
	}
	return fmt.Errorf("add to the tally: %w", err)
}

// Run flushes every two seconds until the context ends. What comes after that needs
// another Flush.
func (t *Tally) Run(ctx context.Context, c redis.UniversalClient) {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = t.Flush(ctx, c) // the next time makes up for it
		case <-ctx.Done():
			return
		}
	}
}
