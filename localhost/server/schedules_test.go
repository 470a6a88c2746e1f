package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/functions/foo"
	"github.com/tandem-api/tandem/functions/work"
	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/isolate"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
)

// writeTemplate writes a template with one function, which has these events.
func writeTemplate(t *testing.T, folder, events string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "template.yaml")
	text := fmt.Sprintf(`AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  TheFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/%s/bootstrap
      Timeout: 10
      Events:
%s`, folder, events)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// event is the entry A of Events.
func event(kind string, properties ...string) string {
	text := "        A:\n          Type: " + kind + "\n          Properties:\n"
	for _, p := range properties {
		text += "            " + p + "\n"
	}
	return text
}

func TestScheduled(t *testing.T) {
	tests := []struct {
		name, folder, events string
		want                 string // name, when and zone of each
		says                 string // the error
	}{
		{"a rate", "work", event("Schedule", "Schedule: rate(5 minutes)"), "template.TheFunction.A rate(5 minutes) ", ""},
		{"cron in a time zone", "work", event("ScheduleV2", "ScheduleExpression: cron(0 8 * * ? *)", "ScheduleExpressionTimezone: Europe/Berlin"),
			"template.TheFunction.A cron(0 8 * * ? *) Europe/Berlin", ""},
		{"one that is off", "work", event("Schedule", "Schedule: rate(5 minutes)", "Enabled: false"), "", ""},
		{"one with an input", "work", event("Schedule", "Schedule: rate(1 day)", `Input: '{"a":1}'`), "template.TheFunction.A rate(1 day) ", ""},
		{"a function that takes no events", "foo", event("Schedule", "Schedule: rate(1 day)"), "", "TheFunction.A: the function foo takes no events"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			described, err := template.Load(writeTemplate(t, tt.folder, tt.events), template.Options{})
			if err != nil {
				t.Fatal(err)
			}
			all, err := server{host: cli.Host{Functions: []function.Function{work.Function, foo.Function}}, template: described}.scheduled()
			if tt.says != "" {
				if err == nil || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("got %v, want an error with %q", err, tt.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, s := range all {
				got += s.Name[:strings.LastIndex(s.Name, ".")] + " " + s.When + " " + s.Zone
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEventOfASchedule(t *testing.T) {
	for source, detail := range map[string]string{"aws.events": `"detail":{}`, "aws.scheduler": `"detail":"{}"`} {
		e := string(eventArgs{Function: "work", Schedule: "A.B", Source: source}.event(t.Context()))
		if !strings.Contains(e, detail) || !strings.Contains(e, `"source":"`+source+`"`) || !strings.Contains(e, `"detail-type":"Scheduled Event"`) {
			t.Errorf("got %s", e)
		}
	}
	if e := (eventArgs{Input: []byte(`{"a":1}`)}).event(t.Context()); string(e) != `{"a":1}` {
		t.Errorf("with an input: %s", e)
	}
}

// TestAScheduleCallsItsOwnFunction has functions that only their logical ids tell apart.
func TestAScheduleCallsItsOwnFunction(t *testing.T) {
	const text = `Resources:
  Orders: {Type: AWS::Serverless::Function, Properties: {CodeUri: orders/src, Handler: a}}
  Users: {Type: AWS::Serverless::Function, Properties: {CodeUri: users/src, Handler: a, Events: {A: {Type: Schedule, Properties: {Schedule: rate(1 day)}}}}}
  Others: {Type: AWS::Serverless::Function, Properties: {CodeUri: users/src, Handler: b, Events: {A: {Type: Schedule, Properties: {Schedule: rate(1 day)}}}}}
`
	described, err := template.Parse("template.yaml", []byte(text), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := server{template: described, isolated: &isolate.Functions{}}
	all, err := s.scheduled()
	if err != nil || len(all) != 2 {
		t.Fatalf("%d schedules, %v", len(all), err)
	}
	for i, want := range []string{"Users", "Others"} {
		var args eventArgs
		if err := json.Unmarshal(all[i].Step.Args, &args); err != nil {
			t.Fatal(err)
		}
		if f := s.scheduledFunction(args.Function); f == nil || f.LogicalID != want {
			t.Errorf("the event of %s goes to %v", want, f)
		}
	}
	if f := s.scheduledFunction("src"); f == nil || f.LogicalID != "Orders" { // queued by an earlier host
		t.Errorf("a folder's name means %v", f)
	}
	if f := s.scheduledFunction("nope"); f != nil {
		t.Errorf("there is %v", f)
	}
}

func TestAScheduledEventIsDoneWhateverTheAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   bool // it is kept
	}{
		"JSON":               {`{"a":1}`, true},
		"no JSON":            {"done", false},
		"empty":              {"", false},
		"too large":          {`"` + strings.Repeat("x", queue.MaxResult) + `"`, false},
		"too large, escaped": {`"` + strings.Repeat("<", queue.MaxResult/2) + `"`, false},
	} {
		t.Run(name, func(t *testing.T) {
			run := &queue.Run{}
			keepResult(queue.WithRun(t.Context(), run), []byte(c.answer))
			if got := string(run.Result()); (got == c.answer && got != "") != c.want || !c.want && got != "" {
				t.Errorf("kept %.40q", got)
			}
		})
	}
	t.Run("by its job", func(t *testing.T) {
		large := work.Function
		large.Events = func(*function.App) (function.EventHandler, error) {
			return func(context.Context, json.RawMessage) (any, error) { return strings.Repeat("x", queue.MaxResult), nil }, nil
		}
		described, err := template.Load(writeTemplate(t, "work", event("Schedule", "Schedule: rate(1 day)")), template.Options{})
		if err != nil {
			t.Fatal(err)
		}
		app := function.New(config.Config{}, io.Discard)
		s := server{host: cli.Host{Functions: []function.Function{large}}, template: described, app: app}
		if err := s.scheduledEvent().Do(queue.WithRun(t.Context(), &queue.Run{}), app, eventArgs{Function: "TheFunction"}); err != nil {
			t.Error(err)
		}
	})
}
