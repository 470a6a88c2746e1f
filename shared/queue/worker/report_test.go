package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
)

func TestReports(t *testing.T) {
	t.Parallel()
	boom := func(context.Context, *function.App, greeting) error { return errors.New("boom") }
	snooze := func(context.Context, *function.App, greeting) error { return queue.Snooze(time.Hour) }
	panics := func(context.Context, *function.App, greeting) error { panic("oops") }
	tests := []struct {
		name    string
		do      func(context.Context, *function.App, greeting) error
		jobs    int
		payload string
		retries int
		reports int
		says    string
	}{
		{"a last failure always", boom, 3, `{}`, 0, 3, "boom"},
		{"an earlier one once a minute", boom, 3, `{}`, 5, 1, "boom"},
		{"a last panic always", panics, 3, `{}`, 0, 3, "oops"},
		{"an earlier panic once a minute", panics, 3, `{}`, 5, 1, "oops"},
		{"an unreadable payload always", boom, 3, `[]`, 5, 3, "unreadable"},
		{"what was snoozed never", snooze, 3, `{}`, 5, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app := apptest.New(t)
			job := queue.Job[greeting]{Kind: "greet", Do: tt.do}
			d, err := job.Definition()
			if err != nil {
				t.Fatal(err)
			}
			ctx := function.WithRequest(t.Context(), "r1", "t1")
			var last queue.Info
			for range tt.jobs {
				if last, err = d.Enqueue(ctx, app.App, []byte(tt.payload), queue.Retries(tt.retries)); err != nil {
					t.Fatal(err)
				}
			}
			drain(t, app.App, job)
			all := app.Reports()
			if len(all) != tt.reports {
				t.Fatalf("%d reports, want %d: %+v", len(all), tt.reports, all)
			}
			found := tt.reports == 0 || tt.reports == 1
			for _, r := range all {
				c := r.Request.Context
				if !strings.Contains(r.Error.Message, tt.says) || strings.Contains(r.Error.Class, "lastError") || c["job"] != "greet" || c["queue"] != "default" ||
					c["attempt"] != float64(1) || c["traceId"] != "t1" {
					t.Errorf("it says %s: %q, in the context %v", r.Error.Class, r.Error.Message, c)
				}
				found = found || c["jobId"] == last.ID
			}
			if !found {
				t.Errorf("no report is of the job %s", last.ID)
			}
		})
	}
}

func TestReportOfAPanicHasItsStack(t *testing.T) {
	t.Parallel()
	app := apptest.New(t)
	job := queue.Job[greeting]{Kind: "greet", Retries: queue.NoRetries, Do: func(context.Context, *function.App, greeting) error {
		return explode(nil)
	}}
	enqueue(t, app.App, job, greeting{})
	drain(t, app.App, job)
	all := app.Reports()
	if len(all) != 1 || !strings.Contains(all[0].Error.Message, "nil map") {
		t.Fatalf("got %+v", all)
	}
	for _, frame := range all[0].Error.Backtrace {
		if strings.HasSuffix(frame.Method, "explode") {
			return
		}
	}
	t.Errorf("the stack does not show where it happened: %+v", all[0].Error.Backtrace)
}

func explode(m map[string]int) error {
	m["x"] = 1
	return nil
}
