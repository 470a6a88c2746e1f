package metrics_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/metrics"
	"github.com/tandem-api/tandem/shared/queue/worker"
)

// jobs has what each of the outcomes needs.
var jobs = queue.Job[string]{Kind: "greet", Retries: 1, Do: func(_ context.Context, _ *function.App, how string) error {
	switch how {
	case "fail":
		return errors.New("boom")
	case "fail for good":
		return queue.SkipRetry
	case "snooze":
		return queue.Snooze(time.Hour)
	}
	return nil
}}

func scrape(t *testing.T, app *apptest.App) string {
	t.Helper()
	w := httptest.NewRecorder()
	metrics.Handler(app.App).ServeHTTP(w, httptest.NewRequest("GET", "/internal/metrics", nil))
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatalf("%d %s\n%s", w.Code, w.Header(), w.Body)
	}
	return w.Body.String()
}

func wants(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("there is no line %s", line)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestMetrics(t *testing.T) {
	app := apptest.New(t)
	for how, n := range map[string]int{"well": 3, "fail": 1, "fail for good": 1, "snooze": 2} {
		for range n {
			if _, err := jobs.Enqueue(t.Context(), app.App, how); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := jobs.Enqueue(t.Context(), app.App, "later", queue.In(time.Hour), queue.To(queue.Low)); err != nil {
		t.Fatal(err)
	}
	wants(t, scrape(t, app),
		`tandem_queue_up 1`,
		`asynq_tasks_enqueued_total{queue="default",state="pending"} 7`,
		`asynq_queue_size{queue="default"} 7`,
		`asynq_queue_paused_total{queue="default"} 0`,
		`asynq_tasks_enqueued_total{queue="low",state="scheduled"} 1`,
		`tandem_workers 0`,
	)
	if err := worker.Run(t.Context(), app.App, []queue.Declared{jobs}, worker.Options{Burst: true}); err != nil {
		t.Fatal(err)
	}
	after := scrape(t, app)
	wants(t, after,
		`asynq_tasks_enqueued_total{queue="default",state="retry"} 3`,
		`asynq_tasks_enqueued_total{queue="default",state="archived"} 1`,
		`asynq_tasks_processed_total{queue="default"} 5`,
		`asynq_tasks_failed_total{queue="default"} 2`,
		`asynq_queue_latency_seconds{queue="default"} 0`,
		`tandem_jobs_total{kind="greet",outcome="done",queue="default"} 3`,
		`tandem_jobs_total{kind="greet",outcome="retried",queue="default"} 1`,
		`tandem_jobs_total{kind="greet",outcome="failed",queue="default"} 1`,
		`tandem_jobs_total{kind="greet",outcome="snoozed",queue="default"} 2`,
		`tandem_job_duration_seconds_bucket{kind="greet",le="900"} 7`,
		`tandem_job_duration_seconds_bucket{kind="greet",le="+Inf"} 7`,
		`tandem_job_duration_seconds_count{kind="greet"} 7`,
	)
	if !strings.Contains(after, "go_goroutines ") {
		t.Error("there is nothing about the process")
	}
}

func TestMetricsOfTwoWorkersAddUp(t *testing.T) {
	app := apptest.New(t)
	for range 2 {
		if _, err := jobs.Enqueue(t.Context(), app.App, "well"); err != nil {
			t.Fatal(err)
		}
		if err := worker.Run(t.Context(), app.App, []queue.Declared{jobs}, worker.Options{Burst: true}); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, scrape(t, app), `tandem_jobs_total{kind="greet",outcome="done",queue="default"} 2`)
}

func TestMetricsWithoutRedis(t *testing.T) {
	app := apptest.New(t)
	app.Redis.Close()
	wants(t, scrape(t, app), `tandem_queue_up 0`)
}
