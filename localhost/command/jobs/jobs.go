// Package jobs is `localhost jobs`: it looks at the jobs in Redis and acts on them.
package jobs

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/inspect"
)

const usageText = `Usage of localhost jobs:
  list [-queue NAME] [-state STATE] [-limit N] [-cursor C]
  show ID
  run ID…              let jobs that wait, or have failed for good, run now
  cancel ID…           stop jobs that run, and delete those that wait
  archive ID…          put jobs that wait among the dead letters
  delete ID…           delete jobs that do not run
  run|archive|delete -all STATE [-queue NAME]
  pause|resume QUEUE…  for all workers
  stats
Each prints a table, or JSON with -json.
`

// Run does one action on the jobs.
func Run(ctx context.Context, h cli.Host, args []string) error {
	usage := cli.UsageError{Err: errors.New("jobs: say list, show, run, cancel, archive, delete, pause, resume or stats")}
	if len(args) == 0 {
		return usage
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		fmt.Fprint(h.Stdout, usageText)
		return nil
	}
	o := options{action: args[0], limit: 50}
	act, known := actions()[o.action]
	if !known {
		return usage
	}
	rest, err := o.parse(h, args[1:])
	if err != nil {
		return err
	}
	if err := o.check(rest); err != nil {
		return cli.UsageError{Err: fmt.Errorf("jobs %s: %w", o.action, err)}
	}
	c, err := h.Settings()
	if err != nil {
		return err
	}
	if c.RedisURL == "" {
		return cli.UsageError{Err: errors.New("jobs: REDIS_URL is not set; the Redis that `localhost serve` embeds is its own, and its jobs are on /internal/asynq")}
	}
	return h.WithConfig(c, func(app *function.App) error {
		i, err := inspect.Of(app)
		if err != nil {
			return err
		}
		return act(ctx, call{h, o, i, rest})
	})
}

// options are the flags of jobs.
type options struct {
	action               string
	json                 bool
	queue, state, cursor string
	limit                int
	all                  string
}

// call is what an action is given.
type call struct {
	cli.Host
	o    options
	jobs *inspect.Inspector
	args []string // ids, or queues
}

func actions() map[string]func(context.Context, call) error {
	return map[string]func(context.Context, call) error{
		"list":    listJobs,
		"show":    showJob,
		"stats":   showStats,
		"cancel":  cancelJobs,
		"run":     func(ctx context.Context, r call) error { return r.each(ctx, r.jobs.Run, r.jobs.RunAll) },
		"archive": func(ctx context.Context, r call) error { return r.each(ctx, r.jobs.Archive, r.jobs.ArchiveAll) },
		"delete":  func(ctx context.Context, r call) error { return r.each(ctx, r.jobs.Delete, r.jobs.DeleteAll) },
		"pause":   func(ctx context.Context, r call) error { return r.each(ctx, r.jobs.Pause, nil) },
		"resume":  func(ctx context.Context, r call) error { return r.each(ctx, r.jobs.Resume, nil) },
	}
}

// parse reads the flags, which may stand before and after the ids.
func (o *options) parse(h cli.Host, args []string) (rest []string, err error) {
	flags := flag.NewFlagSet("jobs "+o.action, flag.ContinueOnError)
	flags.BoolVar(&o.json, "json", false, "print JSON instead of a table")
	switch o.action {
	case "list":
		flags.StringVar(&o.queue, "queue", "", "only the jobs of this `queue`")
		flags.StringVar(&o.state, "state", "", "only the jobs in this `state`: "+strings.Join(inspect.States(), ", "))
		flags.IntVar(&o.limit, "limit", o.limit, "how many jobs to list")
		flags.StringVar(&o.cursor, "cursor", "", "go on where the last list ended")
	case "run", "archive", "delete":
		flags.StringVar(&o.all, "all", "", "act on all jobs in this `state` instead of some")
		flags.StringVar(&o.queue, "queue", "", "with -all: only those of this `queue`")
	}
	for {
		if err := h.ParseFlags(flags, args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return rest, nil
		}
		rest, args = append(rest, flags.Arg(0)), flags.Args()[1:]
	}
}

// mostJobs bounds a list: it is asked for in one go.
const mostJobs = 10_000

// check compares the flags and the arguments with what the action takes.
func (o *options) check(args []string) error {
	if _, ok := queue.Weights()[o.queue]; !ok && o.queue != "" {
		return fmt.Errorf("there is no queue %q", o.queue)
	}
	for _, state := range []string{o.state, o.all} {
		if state != "" && !slices.Contains(inspect.States(), state) {
			return fmt.Errorf("there is no state %q", state)
		}
	}
	if o.limit < 1 || o.limit > mostJobs {
		return fmt.Errorf("-limit must be from 1 to %d", mostJobs)
	}
	switch o.action {
	case "list", "stats":
		if len(args) > 0 {
			return fmt.Errorf("unexpected argument %q", args[0])
		}
	case "pause", "resume":
		if len(args) == 0 {
			return fmt.Errorf("name a queue: %s", strings.Join(slices.Sorted(maps.Keys(queue.Weights())), ", "))
		}
	case "show":
		if len(args) != 1 {
			return errors.New("name one job by its id")
		}
	default:
		if (len(args) == 0) == (o.all == "") {
			return errors.New("name jobs by their ids, or all of a state by -all")
		}
	}
	return nil
}

// each acts on what is named, or on all of a state, and says so.
func (r call) each(ctx context.Context, one func(context.Context, string) error, all func(ctx context.Context, queue, state string) (int, error)) error {
	if r.o.all != "" {
		return r.everything(ctx, all)
	}
	var wrong []error
	for _, name := range r.args {
		if err := one(ctx, name); err != nil {
			wrong = append(wrong, err)
			continue
		}
		r.done(name, r.o.action)
	}
	return errors.Join(wrong...)
}

func (r call) everything(ctx context.Context, all func(ctx context.Context, queue, state string) (int, error)) error {
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(queue.Weights())) {
		if r.o.queue != "" && r.o.queue != name {
			continue
		}
		n, err := all(ctx, name, r.o.all)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		r.done(fmt.Sprintf("%d of %s", n, name), r.o.action)
	}
	return errors.Join(wrong...)
}

// cancelJobs tells those that run to stop, and deletes the others.
func cancelJobs(ctx context.Context, r call) error {
	var wrong []error
	for _, id := range r.args {
		active, err := r.jobs.Cancel(ctx, id)
		switch {
		case err != nil:
			wrong = append(wrong, err)
		case active:
			r.done(id, "told to stop")
		default:
			r.done(id, "cancel")
		}
	}
	return errors.Join(wrong...)
}
