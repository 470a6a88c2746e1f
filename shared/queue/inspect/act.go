package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/queue"
)

// ErrState says that a job is in a state in which it cannot be done to it what is
// asked for.
var ErrState = errors.New("the job is not in a state for that")

// Cancel keeps a job from running. One that waits, or is done, is deleted. One that
// runs is told to stop: active is true, and it is archived as soon as it has.
func (i *Inspector) Cancel(ctx context.Context, id string) (active bool, err error) {
	return within(ctx, func() (bool, error) {
		for range 3 { // a job may change its state between two commands
			t, err := i.find(id)
			if err != nil {
				return false, err
			}
			if t.State == asynq.TaskStateActive {
				return true, i.inspector.CancelProcessing(id)
			}
			if err = i.inspector.DeleteTask(t.Queue, id); err == nil {
				return false, nil
			}
		}
		return false, fmt.Errorf("cancel the job %s: its state keeps changing", id)
	})
}

// Run lets a job that is scheduled, to be tried again or archived run now.
func (i *Inspector) Run(ctx context.Context, id string) error {
	return i.act(ctx, id, "run", i.inspector.RunTask,
		asynq.TaskStateScheduled, asynq.TaskStateRetry, asynq.TaskStateArchived)
}

// Archive puts a job that waits among the dead letters.
func (i *Inspector) Archive(ctx context.Context, id string) error {
	return i.act(ctx, id, "archive", i.inspector.ArchiveTask,
		asynq.TaskStatePending, asynq.TaskStateScheduled, asynq.TaskStateRetry)
}

// Delete deletes a job that does not run.
func (i *Inspector) Delete(ctx context.Context, id string) error {
	return i.act(ctx, id, "delete", i.inspector.DeleteTask, asynq.TaskStatePending, asynq.TaskStateScheduled,
		asynq.TaskStateRetry, asynq.TaskStateArchived, asynq.TaskStateCompleted)
}

func (i *Inspector) act(ctx context.Context, id, name string, do func(queue, id string) error, states ...asynq.TaskState) error {
	var wrong error // is ours, and no trouble of Redis
	_, err := within(ctx, func() (any, error) {
		t, err := i.find(id)
		if err != nil {
			return nil, err
		}
		if slices.Contains(states, t.State) {
			return nil, do(t.Queue, id)
		}
		wrong = fmt.Errorf("%s the job %s, which is %s: %w", name, id, t.State, ErrState)
		return nil, nil
	})
	if err != nil {
		return err
	}
	return wrong
}

// Pause keeps all workers from taking jobs of the queue of that name; those under way go on.
func (i *Inspector) Pause(ctx context.Context, name string) error {
	return i.setPaused(ctx, name, true, i.inspector.PauseQueue)
}

// Resume undoes Pause.
func (i *Inspector) Resume(ctx context.Context, name string) error {
	return i.setPaused(ctx, name, false, i.inspector.UnpauseQueue)
}

func (i *Inspector) setPaused(ctx context.Context, name string, paused bool, do func(string) error) error {
	_, err := within(ctx, func() (any, error) {
		names, err := i.queues()
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names, name) {
			if _, known := queue.Weights()[name]; !known {
				return nil, fmt.Errorf("queue %q: %w", name, ErrNotFound)
			}
			return nil, do(name) // no job has been in it yet
		}
		info, err := i.inspector.GetQueueInfo(name)
		if err != nil || info.Paused == paused {
			return nil, err // asynq takes it for an error where nothing changes
		}
		return nil, do(name)
	})
	return err
}
