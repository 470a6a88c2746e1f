package server

import (
	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// queuedJobs counts the jobs that wait in any queue: to run now, later or again.
func queuedJobs(app *function.App) (int, error) {
	client, err := redisdb.Of(app)
	if err != nil {
		return 0, err
	}
	inspector := asynq.NewInspectorFromRedisClient(client)
	queues, err := inspector.Queues()
	if err != nil {
		return 0, err
	}
	left := 0
	for _, name := range queues {
		info, err := inspector.GetQueueInfo(name)
		if err != nil {
			return 0, err
		}
		left += info.Pending + info.Active + info.Scheduled + info.Retry
	}
	return left, nil
}
