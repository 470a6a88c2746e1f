package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"golang.org/x/sync/errgroup"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/logging"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// Patience is how long an enqueueing waits for Redis.
const Patience = time.Second

// Info is a job that has been enqueued.
type Info struct {
	ID    string
	Kind  string
	Queue string
	State string    // pending or scheduled
	At    time.Time // when it may run
}

var client = function.Resource[*asynq.Client]{
	Name: "queue",
	Open: func(app *function.App) (*asynq.Client, error) {
		c, err := redisdb.Of(app)
		if err != nil {
			return nil, err
		}
		return asynq.NewClientFromRedisClient(c), nil // redisdb closes the connection
	},
}

// Of returns the App's client of the queues, over the App's Redis connection.
func Of(app *function.App) (*asynq.Client, error) { return client.Of(app) }

// Enqueue puts the job into its queue. It waits a second for Redis at most; the
// error is then an *httperror.Error of status 503. ErrDuplicate and ErrIDTaken say
// that there was no need.
func (j Job[Args]) Enqueue(ctx context.Context, app *function.App, args Args, opts ...Option) (Info, error) {
	d, err := j.settled()
	if err != nil {
		return Info{}, err
	}
	payload, err := json.Marshal(args)
	if err != nil {
		return Info{}, fmt.Errorf("enqueue %s: %w", j.Kind, err)
	}
	return d.Enqueue(ctx, app, payload, opts...)
}

// EnqueueMany puts a job for each of the arguments into the queue, several at once.
// It stops at the first error; the infos of those that were not enqueued are empty
// then.
func (j Job[Args]) EnqueueMany(ctx context.Context, app *function.App, all []Args, opts ...Option) ([]Info, error) {
	infos := make([]Info, len(all))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for i, args := range all {
		g.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx) // another one failed, or the caller has gone
			}
			var err error
			infos[i], err = j.Enqueue(ctx, app, args, opts...)
			return err
		})
	}
	return infos, g.Wait()
}

// Enqueue puts a job with that payload, its arguments as JSON, into its queue: see
// Job.Enqueue.
func (d Definition) Enqueue(ctx context.Context, app *function.App, payload []byte, opts ...Option) (Info, error) {
	o, err := d.options(opts)
	if err != nil {
		return Info{}, fmt.Errorf("enqueue %s: %w", d.Kind, err)
	}
	return enqueue(ctx, app, d.Kind, payload, o)
}

func enqueue(ctx context.Context, app *function.App, kind string, payload []byte, o options) (Info, error) {
	c, err := Of(app)
	if err != nil {
		return Info{}, unavailable(kind, err)
	}
	t, err := task(ctx, kind, payload, o)
	if err != nil {
		return Info{}, fmt.Errorf("enqueue %s: %w", kind, err)
	}
	within, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	info, err := c.EnqueueContext(within, t)
	if errors.Is(err, asynq.ErrDuplicateTask) {
		holder, open := lockOf(app, kind, payload, o).release(within)
		if !open {
			return Info{}, &DuplicateError{Kind: kind, ID: holder}
		}
		info, err = c.EnqueueContext(within, t)
	}
	switch {
	case errors.Is(err, asynq.ErrDuplicateTask):
		return Info{}, &DuplicateError{Kind: kind}
	case errors.Is(err, asynq.ErrTaskIDConflict):
		return Info{}, fmt.Errorf("enqueue %s as %s: %w", kind, o.id, ErrIDTaken)
	case err != nil && ctx.Err() != nil:
		return Info{}, fmt.Errorf("enqueue %s: %w", kind, ctx.Err())
	case err != nil:
		return Info{}, unavailable(kind, err)
	}
	return Info{ID: info.ID, Kind: info.Type, Queue: info.Queue, State: info.State.String(), At: info.NextProcessAt}, nil
}

func task(ctx context.Context, kind string, payload []byte, o options) (*asynq.Task, error) {
	if o.trace == "" {
		o.trace = logging.Value(ctx, logging.TraceID)
	}
	h := Header{Trace: o.trace, Retries: o.retries, Next: o.next, Parent: o.parent, EnqueuedAt: time.Now(), By: o.by, Tick: o.tick}
	header, err := h.write()
	if err != nil {
		return nil, err
	}
	if o.id == "" {
		o.id = uuid.NewString()
	}
	if o.in > 0 {
		o.at = time.Now().Add(o.in)
	}
	all := append(make([]asynq.Option, 0, 7),
		asynq.Queue(o.queue), asynq.TaskID(o.id), asynq.MaxRetry(o.retries+1), asynq.Timeout(o.timeout+TimeoutGrace))
	if !o.at.IsZero() {
		all = append(all, asynq.ProcessAt(o.at))
	}
	if o.unique > 0 {
		all = append(all, asynq.Unique(o.unique))
	}
	if o.keep > 0 {
		all = append(all, asynq.Retention(o.keep))
	}
	return asynq.NewTaskWithHeaders(kind, payload, header, all...), nil
}
