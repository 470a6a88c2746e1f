package worker_test

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/worker"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// someMinutes is a job that runs in these minutes, ago, and counts its runs. Within the
// time of a test, it is not due again.
func someMinutes(ran *atomic.Int64, now time.Time, ago ...int) queue.Job[greeting] {
	minutes := make([]string, len(ago))
	for i, n := range ago {
		minutes[i] = strconv.Itoa(now.Add(-time.Duration(n) * time.Minute).UTC().Minute())
	}
	return queue.Job[greeting]{
		Kind:      "greet",
		Schedules: []queue.Schedule[greeting]{{When: "cron(" + strings.Join(minutes, ",") + " * * * ? *)", Args: greeting{"Ann"}}},
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
	now := time.Now()
	tests := []struct {
		name string
		ago  []int // the minutes of the schedule
		last time.Time
		runs int64
	}{
		{"none", []int{1, 2, 3}, now, 0},
		{"three", []int{1, 2, 3}, now.Add(-5 * time.Minute), 3},
		{"too many: those of the last five minutes", []int{1, 2, 7, 8, 9, 10}, now.Add(-3 * time.Hour), 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t)
			var ran atomic.Int64
			job := someMinutes(&ran, now, tt.ago...)
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
	drain(t, app, someMinutes(&ran, time.Now(), 1, 2, 3))
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
