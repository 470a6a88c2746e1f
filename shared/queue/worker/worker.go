// Package worker does the jobs that stand in the queues.
package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/outbox"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// Run does jobs until the context ends, then waits for those under way, up to
// ShutdownTimeout. It returns an error at once where Redis does not answer (but see
// Options.Wait) or a job is declared wrongly.
//
// The App must not be closed before Run has returned.
func Run(ctx context.Context, app *function.App, jobs []queue.Declared, o Options) error {
	w, err := newWorker(ctx, app, jobs, o)
	if errors.Is(err, errStopping) {
		return nil
	}
	if err != nil {
		return err
	}
	return w.run(ctx)
}

// newWorker returns errStopping where the context ended while it waited for Redis.
func newWorker(ctx context.Context, app *function.App, jobs []queue.Declared, o Options) (*worker, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	h, err := newHandler(app, jobs)
	if err != nil {
		return nil, err
	}
	client, err := connect(ctx, app, o.Wait)
	if ctx.Err() != nil {
		return nil, errStopping
	}
	if err != nil {
		return nil, fmt.Errorf("worker: Redis does not answer: %w", err)
	}
	h.limits = &limits{client: client, queues: o.Limits}
	s, err := newScheduler(app, client, jobs, o.Timed)
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	return &worker{app: app, client: client, handler: h, scheduler: s, options: o, grace: ShutdownTimeout}, nil
}

// connect returns the connection to Redis once it answers.
func connect(ctx context.Context, app *function.App, wait bool) (redis.UniversalClient, error) {
	client, err := redisdb.Of(app)
	if err != nil {
		return nil, err
	}
	if wait {
		return client, redisdb.Wait(ctx, app)
	}
	return client, client.Ping(ctx).Err()
}

// worker is a process's part in doing the jobs: one asynq server, or a second one
// that takes over after a pause while jobs of the first are still under way.
type worker struct {
	app       *function.App
	client    redis.UniversalClient
	handler   *handler
	scheduler *scheduler
	options   Options
	grace     time.Duration // that jobs under way have at the end

	server     *server   // nil while paused
	paused     []*server // those that may still have jobs under way
	closing    sync.WaitGroup
	background sync.WaitGroup
}

// server is an asynq server, and how many of its jobs are under way.
type server struct {
	*asynq.Server
	active atomic.Int64
}

// errStopping says that the worker was asked to end. It is also the cause of a job's
// context that ended for that.
var errStopping = errors.New("the worker stops")

func (w *worker) run(ctx context.Context) error {
	defer w.handler.cancels.listen(w.client)()
	ctx, cancel := context.WithCancel(ctx)
	defer w.lastTally()
	defer w.background.Wait()
	defer cancel()
	w.background.Go(func() { w.handler.tally.Run(ctx, w.client) })
	empty := make(chan error, 1)
	if w.options.Burst {
		if err := w.once(ctx); err != nil && !over(ctx) {
			return fmt.Errorf("worker: %w", err)
		}
		w.background.Go(func() { empty <- w.waitEmpty(ctx) })
	} else {
		w.lead(ctx)
	}
	if err := w.resume(ctx); err != nil {
		return err
	}
	defer w.stop()
	return w.wait(ctx, empty)
}

// lastTally adds what has been counted since the jobs under way have ended.
func (w *worker) lastTally() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := w.handler.tally.Flush(ctx, w.client); err != nil {
		w.app.Log.WarnContext(ctx, "some jobs are not counted", "error", err)
	}
}

// lead does what one worker does for all, while it is this one.
func (w *worker) lead(ctx context.Context) {
	w.background.Go(func() { w.scheduler.run(ctx) })
	if w.options.Outbox {
		w.background.Go(func() {
			redisdb.Lead(ctx, w.client, outboxLock, func(ctx context.Context) { outbox.Relay(ctx, w.app) })
		})
	}
}

// once does what lead does, as far as it is due now.
func (w *worker) once(ctx context.Context) error {
	err := w.scheduler.once(ctx)
	if w.options.Outbox {
		_, later := redisdb.LeadOnce(ctx, w.client, outboxLock, func(ctx context.Context) error {
			return outbox.All(ctx, w.app)
		})
		err = errors.Join(err, later)
	}
	return err
}

const outboxLock = "tandem:outbox"

// over says that the context's time is up. A command to Redis has the same deadline, and
// its time-out may come a moment before the context notices its own.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// wait returns when the context ends or the queues are empty.
func (w *worker) wait(ctx context.Context, empty <-chan error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-empty:
			if err != nil && !over(ctx) {
				return fmt.Errorf("worker: %w", err)
			}
			return nil
		case pause := <-w.options.Pause:
			if pause {
				w.pause(ctx)
			} else if err := w.resume(ctx); err != nil {
				return err
			}
		}
	}
}

// resume starts taking jobs.
func (w *worker) resume(ctx context.Context) error {
	if w.server != nil {
		return nil
	}
	s := &server{}
	s.Server = asynq.NewServerFromRedisClient(asynqRedis{w.client}, asynq.Config{
		Concurrency: w.options.Concurrency,
		Queues:      w.options.Queues,
		// Jobs keep what the context carries, but not its end: they may finish.
		BaseContext:              func() context.Context { return context.WithoutCancel(ctx) },
		StrictPriority:           w.options.Strict,
		ShutdownTimeout:          w.grace,
		TaskCheckInterval:        250 * time.Millisecond, // how soon a job is seen in an empty queue
		DelayedTaskCheckInterval: time.Second,
		IsFailure:                isFailure,
		RetryDelayFunc:           w.handler.delay,
		ErrorHandler:             asynq.ErrorHandlerFunc(w.handler.failed),
		Logger:                   logger{w.app.Log},
		LogLevel:                 asynq.InfoLevel,
	})
	err := s.Start(asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		s.active.Add(1)
		defer s.active.Add(-1)
		return w.handler.ProcessTask(ctx, t)
	}))
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	w.server = s
	return nil
}

// pause stops taking jobs. The server that did so ends once its last job is done,
// and not before: asynq cannot start it again.
func (w *worker) pause(ctx context.Context) {
	if w.server == nil {
		return
	}
	s := w.server
	w.server = nil
	s.Stop()
	w.app.Log.InfoContext(ctx, "worker paused")
	w.paused = append(w.paused, s)
	w.closing.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C: // before the first look: a job that was just taken starts
				if s.active.Load() == 0 {
					s.Shutdown()
					return
				}
			case <-ctx.Done(): // stop does it
				return
			}
		}
	})
}

// stop gives the jobs under way their time, and ends. Shortly before asynq pushes
// those that are left back into their queues, it tells them so.
func (w *worker) stop() {
	defer time.AfterFunc(w.grace-min(time.Second, w.grace/4), func() { w.handler.cancels.all(errStopping) }).Stop()
	if w.server != nil {
		w.paused = append(w.paused, w.server)
	}
	for _, s := range w.paused {
		w.closing.Go(s.Shutdown) // does nothing where it has been called
	}
	w.closing.Wait()
}
