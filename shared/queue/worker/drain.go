package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
)

// Drained is what Drain has done.
type Drained struct {
	Jobs    int64 `json:"jobs"`    // runs that ended, well or not
	Pending int64 `json:"pending"` // jobs that still wait to be run now
}

// Parts of the time until the context's deadline.
const (
	// reserve is left at the end, for what else happens before the process is frozen
	// or killed.
	reserve = time.Second
	// leastTime is the least for which it is worth to begin.
	leastTime = 3 * time.Second
)

// Drain does jobs until the queues are empty, or until shortly before the context's
// deadline, where Lambda kills the process. In the last third of its time, though not
// over ShutdownTimeout, it takes no new jobs: those under way may finish. A job that
// takes longer is told to stop and runs again.
//
// It also enqueues what is scheduled and due. Of the options, Burst, Wait and Pause do
// not matter.
func Drain(ctx context.Context, app *function.App, jobs []queue.Declared, o Options) (Drained, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return Drained{}, errors.New("drain: the context has no deadline")
	}
	left := time.Until(deadline) - reserve
	if left < leastTime {
		return Drained{}, fmt.Errorf("drain: %s are left until the deadline, and %s are the least", left+reserve, leastTime+reserve)
	}
	o.Burst, o.Wait, o.Pause = true, false, nil
	w, err := newWorker(ctx, app, jobs, o)
	if err != nil {
		return Drained{}, err
	}
	w.grace = min(left/3, ShutdownTimeout)
	taking, cancel := context.WithDeadline(ctx, deadline.Add(-reserve-w.grace))
	defer cancel()
	err = w.run(taking)
	d := Drained{Jobs: w.handler.ended.Load()}
	if err == nil {
		d.Pending, err = pending(ctx, w.client, w.options.Queues)
	}
	return d, err
}
