package template

import (
	"encoding/json"

	"github.com/tandem-api/tandem/shared/queue/schedule"
)

// Schedule is a Schedule or ScheduleV2 event: call the function at these times.
type Schedule struct {
	Function   *Function
	Event      string // the event's name in the template
	Expression string // rate(5 minutes), cron(0 8 * * ? *) or at(2026-11-23T08:00:00)
	TimeZone   string // of cron and at; "" means UTC
	Input      string // the JSON that the function gets; "" for the scheduler's own event
	Enabled    bool
	Position   Position
}

func (r *resolver) schedule(f *Function, e Event) *Schedule {
	s := &Schedule{Function: f, Event: e.Name, Enabled: true, Position: e.Position}
	name := "Schedule"
	if e.Type == "ScheduleV2" {
		name = "ScheduleExpression"
		s.TimeZone = r.optional(e.properties, "ScheduleExpressionTimezone")
	}
	s.Expression = r.optional(e.properties, name)
	if s.Expression == "" {
		r.fail(&Error{e.Position, "event " + e.Name + " of " + f.LogicalID + " has no " + name})
	} else if _, err := schedule.Parse(s.Expression, s.TimeZone); err != nil {
		r.fail(r.at(field(e.properties, name), "the %s of event %s: %v", name, e.Name, err))
	}
	s.Input = r.optional(e.properties, "Input")
	if s.Input != "" && !json.Valid([]byte(s.Input)) {
		r.fail(r.at(field(e.properties, "Input"), "the Input of event %s is not JSON", e.Name))
	}
	if n := field(e.properties, "Enabled"); n != nil {
		s.Enabled = r.boolean(e.properties, "Enabled")
	}
	if state := r.optional(e.properties, "State"); state != "" {
		s.Enabled = state != "DISABLED"
	}
	return s
}
