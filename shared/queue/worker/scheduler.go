package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/schedule"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// Of all workers, one enqueues what is scheduled: the one that holds the lock. It
// notes in Redis how far each schedule has come, so that another, taking over, goes
// on from there. The id of a tick's job follows from the schedule and the time: who
// enqueues the same tick twice, finds it there.
const (
	schedulerLock  = "tandem:scheduler"
	schedulerState = "tandem:schedules" // hash: name → Unix time of the last tick

	// catchUp is how late a tick may be enqueued. Of those that nobody was there for,
	// as all workers were down, the older ones are lost, and logged.
	catchUp = 5 * time.Minute
)

type scheduler struct {
	app     *function.App
	client  redis.UniversalClient
	entries []*entry
}

// entry is a schedule, and the last tick that was dealt with.
type entry struct {
	queue.Timed
	schedule *schedule.Schedule
	last     time.Time
}

func newScheduler(app *function.App, client redis.UniversalClient, jobs []queue.Declared, more []queue.Timed) (*scheduler, error) {
	s := &scheduler{app: app, client: client}
	var wrong []error
	for _, job := range jobs {
		timed, err := job.Timed()
		wrong = append(wrong, err)
		more = append(more, timed...)
	}
	names := map[string]bool{}
	for _, t := range more {
		parsed, err := schedule.Parse(t.When, t.Zone)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", t.Name, err))
		}
		if names[t.Name] {
			wrong = append(wrong, fmt.Errorf("two schedules are %s", t.Name))
		}
		names[t.Name] = true
		s.entries = append(s.entries, &entry{Timed: t, schedule: parsed})
	}
	return s, errors.Join(wrong...)
}

// run enqueues what is scheduled, whenever this worker leads the others.
func (s *scheduler) run(ctx context.Context) {
	if len(s.entries) > 0 {
		redisdb.Lead(ctx, s.client, schedulerLock, s.lead)
	}
}

// once enqueues what is due now, unless another worker sees to it.
func (s *scheduler) once(ctx context.Context) error {
	if len(s.entries) == 0 {
		return nil
	}
	_, err := redisdb.LeadOnce(ctx, s.client, schedulerLock, func(ctx context.Context) error {
		if err := s.load(ctx); err != nil {
			return err
		}
		_, err := s.fire(ctx)
		return err
	})
	return err
}

// lead enqueues until the context ends or Redis fails.
func (s *scheduler) lead(ctx context.Context) {
	s.app.Log.DebugContext(ctx, "this worker schedules now")
	err := s.load(ctx)
	for err == nil {
		var next time.Time
		if next, err = s.fire(ctx); err == nil && !sleep(ctx, time.Until(next)) {
			return
		}
	}
	if ctx.Err() == nil {
		s.app.Log.WarnContext(ctx, "scheduling stopped for a moment", "error", err)
	}
}

// load finds how far each schedule has come. One that is new starts now.
func (s *scheduler) load(ctx context.Context) error {
	for _, e := range s.entries {
		if err := s.client.HSetNX(ctx, schedulerState, e.Name, time.Now().Unix()).Err(); err != nil {
			return fmt.Errorf("load the schedules: %w", err)
		}
		last, err := s.client.HGet(ctx, schedulerState, e.Name).Int64()
		if err != nil {
			return fmt.Errorf("load the schedule %s: %w", e.Name, err)
		}
		e.last = time.Unix(last, 0)
	}
	return nil
}

// fire enqueues all that is due, and returns when the next is.
func (s *scheduler) fire(ctx context.Context) (next time.Time, err error) {
	next = time.Now().Add(time.Minute)
	for _, e := range s.entries {
		at, err := s.fireOne(ctx, e)
		if err != nil {
			return next, err
		}
		if !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next, nil
}

func (s *scheduler) fireOne(ctx context.Context, e *entry) (next time.Time, err error) {
	if late := time.Now().Add(-catchUp); e.last.Before(late) {
		if lost := e.schedule.Next(e.last); !lost.IsZero() && lost.Before(late) {
			s.app.Log.WarnContext(ctx, "ticks are lost, as no worker was there", "schedule", e.Name, "when", e.When, "first", lost)
		}
		e.last = late
	}
	for {
		tick := e.schedule.Next(e.last)
		if tick.IsZero() || tick.After(time.Now()) {
			return tick, nil
		}
		if err := s.enqueue(ctx, e, tick); err != nil {
			return tick, err
		}
		if err := s.client.HSet(ctx, schedulerState, e.Name, tick.Unix()).Err(); err != nil {
			return tick, fmt.Errorf("note the tick %s of %s: %w", tick, e.Name, err)
		}
		e.last = tick
	}
}

func (s *scheduler) enqueue(ctx context.Context, e *entry, tick time.Time) error {
	_, err := e.Fire(ctx, s.app, tick)
	switch {
	case errors.Is(err, queue.ErrIDTaken):
		return nil // whoever led before was that far
	case errors.Is(err, queue.ErrDuplicate):
		s.app.Log.InfoContext(ctx, "a tick is left out, as the job of another still stands", "schedule", e.Name)
		return nil
	case err != nil:
		return fmt.Errorf("enqueue the tick %s of %s: %w", tick, e.Name, err)
	}
	return nil
}

// sleep reports whether the context still lasts after d.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
