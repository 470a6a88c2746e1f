package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/workers"
)

// eventArgs say which function gets a scheduler's event.
type eventArgs struct {
	Function string          `json:"function"` // the folder's name
	Schedule string          `json:"schedule"` // the event's name in the template
	Source   string          `json:"source"`   // aws.events, or aws.scheduler for a ScheduleV2
	Input    json.RawMessage `json:"input,omitempty"`
}

// eventCaller calls the function of that folder with an event.
type eventCaller func(ctx context.Context, app *function.App, folder string, event json.RawMessage) (any, error)

// scheduledEvent calls a function with the event that EventBridge would send. It is a
// job, so that of many workers one does it, and Lambda's two retries (after a minute
// and after two more) are those of a job.
func scheduledEvent(call eventCaller) queue.Job[eventArgs] {
	return queue.Job[eventArgs]{
		Kind:    "scheduled_event",
		Retries: 2,
		Backoff: queue.Backoff{First: time.Minute, Max: 2 * time.Minute},
		Do: func(ctx context.Context, app *function.App, args eventArgs) error {
			answer, err := call(ctx, app, args.Function, args.event(ctx))
			if err != nil {
				return err
			}
			return queue.SetResult(ctx, answer)
		},
	}
}

// callHere calls a function in this process.
func callHere(ctx context.Context, app *function.App, folder string, event json.RawMessage) (any, error) {
	for _, f := range functions() {
		if f.Name != folder || f.Events == nil {
			continue
		}
		take, err := f.EventHandler(app)
		if err != nil {
			return nil, err
		}
		return take(ctx, event)
	}
	return nil, fmt.Errorf("there is no function %q that takes events: %w", folder, queue.SkipRetry)
}

// callEvent calls a function where this host runs it.
func (s server) callEvent(ctx context.Context, app *function.App, folder string, event json.RawMessage) (any, error) {
	if s.isolated == nil {
		return callHere(ctx, app, folder, event)
	}
	for _, f := range s.template.Functions() {
		invoke := s.isolated.Invoke(f)
		if f.Folder != folder || invoke == nil {
			continue
		}
		result, err := invoke(ctx, lambda.Invocation{Payload: event})
		if err = errors.Join(err, result.Err()); err != nil {
			return nil, err
		}
		return json.RawMessage(result.Payload), nil
	}
	return nil, fmt.Errorf("there is no function %q: %w", folder, queue.SkipRetry)
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

// allJobs returns what a worker of this host does: the jobs, and the calls of functions
// by the template's schedules.
func allJobs(call eventCaller) []queue.Declared { return append(workers.All(), scheduledEvent(call)) }

// scheduled returns when functions are called by the template's schedules.
func scheduled(t *template.Template) ([]queue.Timed, error) {
	takes := map[string]bool{}
	for _, f := range functions() {
		takes[f.Name] = f.Events != nil
	}
	var all []queue.Timed
	var wrong []error
	for _, s := range t.Schedules() {
		if !s.Enabled {
			continue
		}
		owner := s.Function.LogicalID + "." + s.Event
		if !takes[s.Function.Folder] {
			wrong = append(wrong, fmt.Errorf("%s: the function %s takes no events: it has no Events in Go", owner, s.Function.Folder))
			continue
		}
		args := eventArgs{Function: s.Function.Folder, Schedule: owner, Source: source(s)}
		if s.Input != "" {
			args.Input = json.RawMessage(s.Input)
		}
		if !json.Valid([]byte(s.Input)) && s.Input != "" {
			wrong = append(wrong, fmt.Errorf("%s: the Input is not JSON", owner))
			continue
		}
		step := scheduledEvent(callHere).With(args, queue.Timeout(s.Function.Timeout))
		all = append(all, queue.NewTimed("template."+owner, s.Expression, s.TimeZone, step))
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
