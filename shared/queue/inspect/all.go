package inspect

import (
	"context"
	"fmt"
	"slices"
)

// ofQueue acts on all jobs of a queue that are in one state, and counts them.
type ofQueue func(queue string) (int, error)

// RunAll lets the jobs of a queue that are scheduled, retry or archived run now.
func (i *Inspector) RunAll(ctx context.Context, queue, state string) (int, error) {
	return i.actAll(ctx, "run", queue, state, map[string]ofQueue{
		"scheduled": i.inspector.RunAllScheduledTasks, "retry": i.inspector.RunAllRetryTasks,
		"archived": i.inspector.RunAllArchivedTasks,
	})
}

// ArchiveAll puts the jobs of a queue that are pending, scheduled or retry among the
// dead letters.
func (i *Inspector) ArchiveAll(ctx context.Context, queue, state string) (int, error) {
	return i.actAll(ctx, "archive", queue, state, map[string]ofQueue{
		"pending": i.inspector.ArchiveAllPendingTasks, "scheduled": i.inspector.ArchiveAllScheduledTasks,
		"retry": i.inspector.ArchiveAllRetryTasks,
	})
}

// DeleteAll deletes the jobs of a queue that are in one state, other than active.
func (i *Inspector) DeleteAll(ctx context.Context, queue, state string) (int, error) {
	return i.actAll(ctx, "delete", queue, state, map[string]ofQueue{
		"pending": i.inspector.DeleteAllPendingTasks, "scheduled": i.inspector.DeleteAllScheduledTasks,
		"retry": i.inspector.DeleteAllRetryTasks, "archived": i.inspector.DeleteAllArchivedTasks,
		"completed": i.inspector.DeleteAllCompletedTasks,
	})
}

func (i *Inspector) actAll(ctx context.Context, name, queue, state string, by map[string]ofQueue) (int, error) {
	do, ok := by[state]
	if !ok {
		return 0, fmt.Errorf("%s all jobs that are %s: %w", name, state, ErrState)
	}
	return within(ctx, func() (int, error) {
		names, err := i.queues()
		if err != nil || !slices.Contains(names, queue) {
			return 0, err // no job has been in it yet
		}
		return do(queue)
	})
}
