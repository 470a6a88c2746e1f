package queue

import (
	"math"
	"math/rand/v2"
	"time"
)

// Backoff says how long a failed job waits until it runs again: First after the
// first failure, Factor times as long after each further one, Max at most. Each wait
// is drawn from its upper half, so that jobs that failed together do not come back
// together. Zero fields mean 10s, 2 and 1h.
type Backoff struct {
	First  time.Duration
	Factor float64
	Max    time.Duration
}

func (b Backoff) withDefaults() Backoff {
	if b.First == 0 {
		b.First = 10 * time.Second
	}
	if b.Factor == 0 {
		b.Factor = 2
	}
	if b.Max == 0 {
		b.Max = time.Hour
	}
	return b
}

// After returns how long to wait after that many failures, 1 or more.
func (b Backoff) After(failures int) time.Duration {
	b = b.withDefaults()
	most := min(float64(b.First)*math.Pow(b.Factor, float64(failures-1)), float64(b.Max))
	return time.Duration(most * (1 - rand.Float64()/2))
}
