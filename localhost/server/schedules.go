package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-api/tandem/localhost/cli"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/workers"
)

// eventArgs say which function gets a scheduler's event.
type eventArgs struct {
	Function string          `json:"function"` // its logical id: a folder's name may be another's, too
	Schedule string          `json:"schedule"` // the event's name in the template
	Source   string          `json:"source"`   // aws.events, or aws.scheduler for a ScheduleV2
	Input    json.RawMessage `json:"input,omitempty"`
}

// scheduledEvent calls a function with the event that EventBridge would send, where
// this host runs it. It is a job, so that of many workers one does it, and Lambda's two
// retries (after a minute and after two more) are those of a job.
func (s server) scheduledEvent() queue.Job[eventArgs] {
	return queue.Job[eventArgs]{
		Kind:    "scheduled_event",
		Retries: 2,
		Backoff: queue.Backoff{First: time.Minute, Max: 2 * time.Minute},
		Do: func(ctx context.Context, _ *function.App, args eventArgs) error {
			answer, err := s.callEvent(ctx, args.Function, args.event(ctx))
			if err != nil {
				return err
			}
			keepResult(ctx, answer)
			return nil
		},
	}
}

// keepResult keeps an answer where it can be a job's result. The event is done in any
// case: Lambda drops the answer, and a job that failed for it would run again.
func keepResult(ctx context.Context, answer json.RawMessage) {
	if json.Valid(answer) && len(answer) <= queue.MaxResult {
		_ = queue.SetResult(ctx, answer) // escaping may make it too large nevertheless
	}
}

func (s server) callEvent(ctx context.Context, name string, event json.RawMessage) (json.RawMessage, error) {
	if f := s.scheduledFunction(name); f != nil {
		if invoke := s.invoke(f); invoke != nil {
			result, err := invoke(ctx, lambda.Invocation{Payload: event})
			return result.Payload, errors.Join(err, result.Err())
		}
	}
	return nil, fmt.Errorf("there is no function %q here: %w", name, queue.SkipRetry)
}

// scheduledFunction finds the function of a job, nil where there is none. One that an
// earlier host has queued may have the folder's name.
func (s server) scheduledFunction(name string) *template.Function {
	var byName *template.Function
	for _, f := range s.template.Functions() {
		switch {
		case f.LogicalID == name:
			return f
		case byName == nil && cli.NameOf(f) == name:
			byName = f
		}
	}
	return byName
}

// event returns what EventBridge sends (EventBridge user guide, "Events from scheduled
// rules"; Scheduler user guide, "Lambda target").
func (args eventArgs) event(ctx context.Context) json.RawMessage {
	if len(args.Input) > 0 {
		return args.Input
	}
	at := time.Now()
	if run, ok := queue.Running(ctx); ok && !run.Tick.IsZero() {
		at = run.Tick
	}
	e := map[string]any{
		"version": "0", "id": rand.Text(), "detail-type": "Scheduled Event", "source": args.Source,
		"account": "123456789012", "time": at.UTC().Format(time.RFC3339), "region": "us-east-1",
		"resources": []string{"arn:aws:events:us-east-1:123456789012:rule/" + args.Schedule}, "detail": map[string]any{},
	}
	if args.Source == "aws.scheduler" {
		e["resources"] = []string{"arn:aws:scheduler:us-east-1:123456789012:schedule/default/" + args.Schedule}
		e["detail"] = "{}"
	}
	b, _ := json.Marshal(e) // strings: it cannot fail
	return b
}

// jobs returns what a worker of this host does: the jobs, and the calls of functions by
// the template's schedules.
func (s server) jobs() []queue.Declared { return append(workers.All(), s.scheduledEvent()) }

// scheduled returns when functions are called by the template's schedules.
func (s server) scheduled() ([]queue.Timed, error) {
	takes := map[string]bool{}
	for _, f := range s.host.Functions {
		takes[f.Name] = f.Events != nil
	}
	var all []queue.Timed
	var wrong []error
	for _, t := range s.template.Schedules() {
		owner := t.Function.LogicalID + "." + t.Event
		switch {
		case !t.Enabled:
			continue
		case s.isolated == nil && !takes[t.Function.Folder]: // a process may be of any language
			wrong = append(wrong, fmt.Errorf("%s: %s: the function %s takes no events: it has no Events in Go", t.Position, owner, cli.NameOf(t.Function)))
			continue
		}
		args := eventArgs{Function: t.Function.LogicalID, Schedule: owner, Source: source(t), Input: json.RawMessage(t.Input)}
		step := s.scheduledEvent().With(args, queue.Timeout(t.Function.Timeout), queue.Retries(t.Function.Retries))
		all = append(all, queue.NewTimed("template."+owner, t.Expression, t.TimeZone, step))
	}
	return all, errors.Join(wrong...)
}

// source is where the event of a schedule comes from: a rule of EventBridge, or its
// Scheduler.
func source(s template.Schedule) string {
	for _, e := range s.Function.Events {
		if e.Name == s.Event && e.Type == "ScheduleV2" {
			return "aws.scheduler"
		}
	}
	return "aws.events"
}
