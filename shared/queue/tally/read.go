package tally

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Count is how many runs of a kind, from a queue, had an outcome.
type Count struct {
	Kind, Queue string
	Outcome     Outcome
	Runs        int64
}

// Duration is how long the runs of a kind took.
type Duration struct {
	Runs    uint64
	Seconds float64            // all together
	Within  map[float64]uint64 // how many took so many seconds at most, for each of Buckets
}

// Read returns the counts of all workers since the Redis was made, and the durations by
// kind.
func Read(ctx context.Context, c redis.UniversalClient) ([]Count, map[string]*Duration, error) {
	fields, err := c.HGetAll(ctx, key).Result()
	if err != nil {
		return nil, nil, fmt.Errorf("read the tally: %w", err)
	}
	var counts []Count
	durations := map[string]*Duration{}
	of := func(kind string) *Duration {
		if durations[kind] == nil {
			durations[kind] = &Duration{Within: map[float64]uint64{}}
		}
		return durations[kind]
	}
	for field, text := range fields {
		n, err := strconv.ParseInt(text, 10, 64)
		part := strings.Split(field, separator)
		if err != nil || n < 0 {
			continue
		}
		switch {
		case part[0] == "n" && len(part) == 4:
			counts = append(counts, Count{Kind: part[1], Queue: part[2], Outcome: Outcome(part[3]), Runs: n})
		case part[0] == "b" && len(part) == 3:
			of(part[1]).add(part[2], uint64(n))
		case part[0] == "s" && len(part) == 2:
			of(part[1]).Seconds = float64(n) / 1e6
		}
	}
	return counts, durations, nil
}

func (d *Duration) add(bucket string, n uint64) {
	index, err := strconv.Atoi(bucket)
	if err != nil {
		return
	}
	d.Runs += n
	for i, bound := range Buckets() {
		if i >= index {
			d.Within[bound] += n
		}
	}
}
