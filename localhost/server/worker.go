package server

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/worker"
)

// Worker runs jobs until it is told to stop, or with -burst until none is left.
func Worker(ctx context.Context, h cli.Host, args []string) error {
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	o := worker.Options{Queues: queue.Weights(), Limits: map[string]int{}, Outbox: true, Wait: true}
	flags.IntVar(&o.Concurrency, "concurrency", 10, "how many jobs to run at once")
	flags.Var(queueWeights(o.Queues), "queues", "the queues to take jobs from, with their `weights`")
	flags.BoolVar(&o.Strict, "strict", false, "take from a queue only while those of more weight are empty")
	flags.BoolVar(&o.Burst, "burst", false, "stop when the queues are empty")
	flags.Var(queueLimits(o.Limits), "limits", "how many jobs of a queue may run at once over all workers, such as `low=2`")
	var described cli.TemplateFlags
	described.Add(flags)
	if err := h.Parse(flags, args); err != nil {
		return err
	}
	if o.Concurrency < 1 {
		return cli.UsageError{Err: errors.New("worker: -concurrency must be 1 at least")}
	}
	read, err := workerSetup(h, described)
	if err != nil {
		return err
	}
	s := server{host: h, template: read.Template}
	if o.Timed, err = s.scheduled(); err != nil {
		return cli.UsageError{Err: err}
	}
	if read.Config.RedisURL == "" {
		return cli.UsageError{Err: errors.New("worker: REDIS_URL is not set, and a worker of its own needs a Redis that others reach too")}
	}
	h.CollectLess()
	return h.WithConfig(read.Config, func(app *function.App) error {
		if err := cli.ReadyDatabase(ctx, app); err != nil {
			return err
		}
		o.Pause = pauseSignals(ctx)
		s.app = app
		return worker.Run(ctx, app, s.jobs(), o)
	})
}

// workerSetup reads the settings and the template. A machine that has nothing but this
// program has no template: then the jobs' own schedules are all.
func workerSetup(h cli.Host, described cli.TemplateFlags) (cli.Setup, error) {
	read, err := described.Read(h, "", false)
	if errors.Is(err, fs.ErrNotExist) && described.Path == cli.DefaultTemplate {
		read.Template = &template.Template{}
		read.Config, err = h.Settings()
	}
	return read, err
}

// queueWeights is a flag such as critical=6,default=3,low=1: a worker takes a job from
// critical six times as often as from low. A queue that is not named is not served.
type queueWeights map[string]int

func (q queueWeights) String() string        { return formatQueues(q) }
func (q queueWeights) Set(text string) error { return parseQueues(q, text) }

// queueLimits is a flag such as low=2.
type queueLimits map[string]int

func (q queueLimits) String() string        { return formatQueues(q) }
func (q queueLimits) Set(text string) error { return parseQueues(q, text) }

func formatQueues(q map[string]int) string {
	names := slices.SortedFunc(maps.Keys(q), func(a, b string) int {
		return cmp.Or(cmp.Compare(q[b], q[a]), cmp.Compare(a, b))
	})
	pairs := make([]string, len(names))
	for i, name := range names {
		pairs[i] = fmt.Sprintf("%s=%d", name, q[name])
	}
	return strings.Join(pairs, ",")
}

func parseQueues(q map[string]int, text string) error {
	numbers := map[string]int{}
	for pair := range strings.SplitSeq(text, ",") {
		name, number, _ := strings.Cut(pair, "=")
		n, err := strconv.Atoi(number)
		if _, known := queue.Weights()[name]; !known || err != nil || n < 1 {
			return fmt.Errorf("%q is not critical, default or low with a number of 1 at least, such as low=1", pair)
		}
		numbers[name] = n
	}
	clear(q)
	maps.Copy(q, numbers)
	return nil
}
