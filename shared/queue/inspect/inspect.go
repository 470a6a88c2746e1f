// Package inspect looks at the jobs in Redis, whoever does them, and changes what
// becomes of them.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// ErrNotFound says that there is no job with an id, or no queue of a name. A job that
// is done and was not to be kept is gone.
var ErrNotFound = errors.New("not found")

// Inspector looks at the queues. Each of its methods waits a second for Redis at most
// (queue.Patience); the error is then an *httperror.Error of status 503.
type Inspector struct{ inspector *asynq.Inspector }

// Of returns an inspector of the App's queues.
func Of(app *function.App) (*Inspector, error) {
	c, err := redisdb.Of(app)
	if err != nil {
		return nil, unavailable(err)
	}
	return &Inspector{asynq.NewInspectorFromRedisClient(c)}, nil
}

// within calls ask, which knows no context, and leaves it alone where it takes too
// long: its commands end by the time-outs of the connection.
func within[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	limited, cancel := context.WithTimeout(ctx, queue.Patience)
	defer cancel()
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		v, err := ask()
		done <- result{v, err}
	}()
	var none T
	select {
	case r := <-done:
		return r.value, explain(r.err)
	case <-limited.Done():
		if ctx.Err() != nil {
			return none, ctx.Err()
		}
		return none, unavailable(limited.Err())
	}
}

// explain tells what asynq says of a job from what it says of Redis.
func explain(err error) error {
	_, coded := errors.AsType[*httperror.Error](err)
	switch {
	case err == nil, coded, errors.Is(err, ErrNotFound), errors.Is(err, ErrCursor):
		return err
	case errors.Is(err, asynq.ErrTaskNotFound), errors.Is(err, asynq.ErrQueueNotFound):
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return unavailable(err)
}

func unavailable(cause error) error {
	return httperror.New(http.StatusServiceUnavailable, "The job queue does not answer. Try again later.").
		With("Retry-After", "5").
		Because(fmt.Errorf("inspect the queues: %w", cause))
}

// queues returns the names of all queues, in a fixed order.
func (i *Inspector) queues() ([]string, error) {
	names, err := i.inspector.Queues()
	slices.Sort(names)
	return names, err
}

// find looks for a job in all queues.
func (i *Inspector) find(id string) (*asynq.TaskInfo, error) {
	names, err := i.queues()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		t, err := i.inspector.GetTaskInfo(name, id)
		switch {
		case err == nil:
			return t, nil
		case !errors.Is(err, asynq.ErrTaskNotFound) && !errors.Is(err, asynq.ErrQueueNotFound):
			return nil, err
		}
	}
	return nil, fmt.Errorf("job %q: %w", id, ErrNotFound)
}
