package worker_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/worker"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// eachMinute is a job that counts its runs.
func eachMinute(ran *atomic.Int64) queue.Job[greeting] {
	return queue.Job[greeting]{
		Kind:      "greet",
		Schedules: []queue.Schedule[greeting]{{When: "rate(1 minute)", Args: greeting{"Ann"}}},
		Do: func(_ context.Context, _ *function.App, args greeting) error {
			if args.Name == "Ann" {
				ran.Add(1)
			}
			return nil
		},
	}
}

// lastTick notes that the job's schedule has come that far.
func lastTick(t *testing.T, app *function.App, job queue.Declared, at time.Time) {
	t.Helper()
	timed, err := job.Timed()
	if err != nil {
		t.Fatal(err)
	}
	c, err := redisdb.Of(app)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.HSet(t.Context(), "tandem:schedules", timed[0].Name, at.Unix()).Err(); err != nil {
		t.Fatal(err)
	}
}

func TestTicksThatNobodyWasThereFor(t *testing.T) {
	t.Parallel()
	// In the middle of a minute, so that the test does not cross into the next.
	now := time.Now()
	if second := now.Second(); second > 50 {
		t.Skip("too close to the next tick")
	}
	minute := now.Truncate(time.Minute)
	tests := []struct {
		name string
		last time.Time
		runs int64
	}{
		{"none", minute, 0},
		{"three", minute.Add(-3 * time.Minute), 3},
		{"too many: those of the last five minutes", minute.Add(-3 * time.Hour), 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t)
			var ran atomic.Int64
			job := eachMinute(&ran)
			lastTick(t, app, job, tt.last)
			drain(t, app, job)
			if ran.Load() != tt.runs {
				t.Errorf("%d ran, want %d", ran.Load(), tt.runs)
			}
			// As if the scheduler had died before it noted how far it was.
			lastTick(t, app, job, tt.last)
			drain(t, app, job)
			if ran.Load() != tt.runs {
				t.Errorf("a second scheduler ran %d more", ran.Load()-tt.runs)
			}
		})
	}
}

func TestNewScheduleStartsNow(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	var ran atomic.Int64
	drain(t, app, eachMinute(&ran))
	if ran.Load() != 0 {
		t.Errorf("%d ran for the time before the schedule was there", ran.Load())
	}
}

func TestTickRunsOnceWithManyWorkers(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	var ran atomic.Int64
	when := time.Now().Add(3 * time.Second).UTC().Format("at(2006-01-02T15:04:05)")
	job := queue.Job[greeting]{Kind: "greet", Do: func(context.Context, *function.App, greeting) error {
		ran.Add(1)
		return nil
	}}
	timed := []queue.Timed{queue.NewTimed("template.Work", when, "", job.With(greeting{}))}
	for range 3 {
		start(t, app, worker.Options{Timed: timed}, job)
	}
	eventually(t, "the job runs", func() bool { return ran.Load() > 0 })
	<-time.After(time.Second) // a second one would follow at once
	if ran.Load() != 1 {
		t.Errorf("it ran %d times", ran.Load())
	}
}

func TestRunRefusesAWrongSchedule(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	job := queue.Job[greeting]{
		Kind:      "greet",
		Schedules: []queue.Schedule[greeting]{{When: "cron(0 25 * * ? *)"}},
		Do:        func(context.Context, *function.App, greeting) error { return nil },
	}
	err := worker.Run(t.Context(), app, []queue.Declared{job}, worker.Options{})
	if err == nil || !strings.Contains(err.Error(), "greet") || !strings.Contains(err.Error(), "0 to 23") {
		t.Errorf("got %v", err)
	}
}
