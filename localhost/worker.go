package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/worker"
	"github.com/tandem-api/tandem/shared/workers"
)

// workerCommand runs jobs until it is told to stop, or with -burst until none is left.
func workerCommand(ctx context.Context, h host, args []string) error {
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	o := worker.Options{Queues: queue.Weights()}
	flags.IntVar(&o.Concurrency, "concurrency", 10, "how many jobs to run at once")
	flags.Var(queueWeights(o.Queues), "queues", "the queues to take jobs from, with their `weights`")
	flags.BoolVar(&o.Strict, "strict", false, "take from a queue only while those of more weight are empty")
	flags.BoolVar(&o.Burst, "burst", false, "stop when the queues are empty")
	if err := parse(flags, h, args); err != nil {
		return err
	}
	if o.Concurrency < 1 {
		return usageError{errors.New("worker: -concurrency must be 1 at least")}
	}
	c, err := settings(h)
	if err != nil {
		return err
	}
	if c.RedisURL == "" {
		return usageError{errors.New("worker: REDIS_URL is not set, and a worker of its own needs a Redis that others reach too")}
	}
	return withConfig(h, c, func(app *function.App) error {
		if err := readyDatabase(ctx, app); err != nil {
			return err
		}
		return worker.Run(ctx, app, workers.All(), o)
	})
}

// queueWeights is a flag such as critical=6,default=3,low=1: a worker takes a job from
// critical six times as often as from low. A queue that is not named is not served.
type queueWeights map[string]int

func (q queueWeights) String() string {
	names := slices.SortedFunc(maps.Keys(q), func(a, b string) int {
		return cmp.Or(cmp.Compare(q[b], q[a]), cmp.Compare(a, b))
	})
	pairs := make([]string, len(names))
	for i, name := range names {
		pairs[i] = fmt.Sprintf("%s=%d", name, q[name])
	}
	return strings.Join(pairs, ",")
}

func (q queueWeights) Set(text string) error {
	weights := map[string]int{}
	for pair := range strings.SplitSeq(text, ",") {
		name, weight, _ := strings.Cut(pair, "=")
		n, err := strconv.Atoi(weight)
		if _, known := queue.Weights()[name]; !known || err != nil || n < 1 {
			return fmt.Errorf("%q is not critical, default or low with a weight of 1 at least, such as low=1", pair)
		}
		weights[name] = n
	}
	clear(q)
	maps.Copy(q, weights)
	return nil
}
