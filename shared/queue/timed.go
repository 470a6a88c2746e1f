package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/tandem-api/tandem/shared/function"
)

// Schedule is when a job runs by itself, and with which arguments.
type Schedule[Args any] struct {
	// When is an expression of EventBridge: cron(0 8 ? * MON-FRI *),
	// rate(5 minutes) or at(2026-11-23T08:00:00). See package schedule.
	When string
	// Zone is the time zone of cron and at, such as Europe/Berlin; empty means UTC.
	Zone string
	Args Args
}

// Timed is a step that runs by itself, whenever its schedule says so.
type Timed struct {
	// Name tells it from all others, and stays the same as long as it does.
	Name string
	When string
	Zone string
	Step Step
}

// KeepTick is how long at least the job of a tick stays in Redis after it is done:
// as long as another scheduler, taking over, may try to enqueue the tick again.
const KeepTick = 10 * time.Minute

// NewTimed returns a step that runs by itself. Of two with the same owner, each
// differs in its schedule or its arguments.
func NewTimed(owner, when, zone string, step Step) Timed {
	step.Keep = max(step.Keep, KeepTick)
	hash := sha256.Sum256(fmt.Appendf(nil, "%q %q %s", when, zone, step.Args))
	return Timed{Name: owner + "." + hex.EncodeToString(hash[:4]), When: when, Zone: zone, Step: step}
}

// Fire enqueues the job of a tick. Its id follows from the tick: whoever enqueues it
// again gets ErrIDTaken.
func (t Timed) Fire(ctx context.Context, app *function.App, tick time.Time) (Info, error) {
	o := t.Step.options("tick." + t.Name + "." + strconv.FormatInt(tick.Unix(), 10))
	o.tick = tick
	return enqueue(ctx, app, t.Step.Kind, t.Step.Args, o)
}

// Timed returns the job's schedules.
func (j Job[Args]) Timed() ([]Timed, error) {
	all := make([]Timed, 0, len(j.Schedules))
	for _, s := range j.Schedules {
		step := j.With(s.Args)
		if step.err != nil {
			return nil, step.err
		}
		all = append(all, NewTimed(j.Kind, s.When, s.Zone, step))
	}
	return all, nil
}
