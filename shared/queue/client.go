package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/logging"
	"github.com/tandem-api/tandem/shared/redisdb"
)

var (
	// ErrDuplicate says that a unique job was there already.
	ErrDuplicate = errors.New("a job like this is in the queue already")
	// ErrIDTaken says that a job with this id was there already.
	ErrIDTaken = errors.New("a job with this id is in the queue already")
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
	d, err := j.Definition()
	if err != nil {
		return Info{}, err
	}
	payload, err := json.Marshal(args)
	if err != nil {
		return Info{}, fmt.Errorf("enqueue %s: %w", j.Kind, err)
	}
	return d.Enqueue(ctx, app, payload, opts...)
}

// Enqueue puts a job with that payload, its arguments as JSON, into its queue: see
// Job.Enqueue.
func (d Definition) Enqueue(ctx context.Context, app *function.App, payload []byte, opts ...Option) (Info, error) {
	o, err := d.options(opts)
	if err != nil {
		return Info{}, fmt.Errorf("enqueue %s: %w", d.Kind, err)
	}
	c, err := Of(app)
	if err != nil {
		return Info{}, unavailable(d.Kind, err)
	}
	if o.id == "" {
		o.id = uuid.NewString()
	}
	within, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	t, err := c.EnqueueContext(within, d.task(ctx, payload, o))
	switch {
	case errors.Is(err, asynq.ErrDuplicateTask):
		return Info{}, fmt.Errorf("enqueue %s: %w", d.Kind, ErrDuplicate)
	case errors.Is(err, asynq.ErrTaskIDConflict):
		return Info{}, fmt.Errorf("enqueue %s as %s: %w", d.Kind, o.id, ErrIDTaken)
	case err != nil && ctx.Err() != nil:
		return Info{}, fmt.Errorf("enqueue %s: %w", d.Kind, ctx.Err())
	case err != nil:
		return Info{}, unavailable(d.Kind, err)
	}
	return Info{ID: t.ID, Kind: t.Type, Queue: t.Queue, State: t.State.String(), At: t.NextProcessAt}, nil
}

func (d Definition) task(ctx context.Context, payload []byte, o options) *asynq.Task {
	header := map[string]string{HeaderRetries: strconv.Itoa(o.retries)}
	if trace := logging.Value(ctx, logging.TraceID); trace != "" {
		header[HeaderTrace] = trace
	}
	all := []asynq.Option{
		asynq.Queue(o.queue), asynq.TaskID(o.id), asynq.MaxRetry(o.retries + 1),
		asynq.Timeout(o.timeout + TimeoutGrace),
	}
	if !o.at.IsZero() {
		all = append(all, asynq.ProcessAt(o.at))
	}
	if o.unique > 0 {
		all = append(all, asynq.Unique(o.unique))
	}
	if o.keep > 0 {
		all = append(all, asynq.Retention(o.keep))
	}
	return asynq.NewTaskWithHeaders(d.Kind, payload, header, all...)
}

func unavailable(kind string, cause error) error {
	return httperror.New(http.StatusServiceUnavailable, "The job queue does not answer. Try again later.").
		With("Retry-After", "5").
		Because(fmt.Errorf("enqueue %s: %w", kind, cause))
}
