// Package metrics tells the state of the queues, and what became of the jobs, in the
// format of Prometheus. The series of the queues have the names that asynq's own
// dashboard knows.
package metrics

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue/inspect"
	"github.com/tandem-api/tandem/shared/queue/tally"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// Handler answers with the metrics of the queues and the jobs, those of all workers
// together, and with those of this process.
func Handler(app *function.App) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), New(app))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// patience is how long a scrape waits for Redis.
const patience = 2 * time.Second

// Collector reads everything from Redis, at each scrape.
type Collector struct {
	app *function.App

	up, workers, slots                    *prometheus.Desc
	tasks, size, latency, paused          *prometheus.Desc
	processed, failed, outcomes, duration *prometheus.Desc
}

// New returns a collector of the App's queues.
func New(app *function.App) *Collector {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &Collector{
		app:       app,
		up:        d("tandem_queue_up", "Whether Redis answers; the other series of the queues are missing where it does not."),
		workers:   d("tandem_workers", "Worker processes."),
		slots:     d("tandem_worker_slots", "Jobs that the worker processes can run at once, together."),
		tasks:     d("asynq_tasks_enqueued_total", "Jobs in the queue, by state.", "queue", "state"),
		size:      d("asynq_queue_size", "Jobs in the queue, the completed ones left out.", "queue"),
		latency:   d("asynq_queue_latency_seconds", "Since when the oldest pending job waits.", "queue"),
		paused:    d("asynq_queue_paused_total", "Whether the queue is paused.", "queue"),
		processed: d("asynq_tasks_processed_total", "Runs of jobs that ended, well or not.", "queue"),
		failed:    d("asynq_tasks_failed_total", "Runs of jobs that failed.", "queue"),
		outcomes:  d("tandem_jobs_total", "Runs of jobs, by what became of them.", "kind", "queue", "outcome"),
		duration:  d("tandem_job_duration_seconds", "How long the runs of jobs took.", "kind"),
	}
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, to) }

// Collect implements prometheus.Collector.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	stats, counts, durations, err := c.read(ctx)
	if err != nil {
		c.app.Log.WarnContext(ctx, "no metrics of the queues", "error", err)
		gauge(c.up, 0)
		return
	}
	gauge(c.up, 1)
	gauge(c.workers, float64(len(stats.Workers)))
	slots := 0
	for _, w := range stats.Workers {
		slots += w.Concurrency
	}
	gauge(c.slots, float64(slots))
	for _, q := range stats.Queues {
		for state, n := range map[string]int{
			"active": q.Active, "pending": q.Pending, "scheduled": q.Scheduled, "retry": q.Retry,
			"archived": q.Archived, "completed": q.Completed,
		} {
			gauge(c.tasks, float64(n), q.Name, state)
		}
		gauge(c.size, float64(q.Active+q.Pending+q.Scheduled+q.Retry+q.Archived), q.Name)
		gauge(c.latency, q.Latency, q.Name)
		gauge(c.paused, map[bool]float64{true: 1}[q.Paused], q.Name)
		counter(c.processed, float64(q.Processed), q.Name)
		counter(c.failed, float64(q.Failed), q.Name)
	}
	for _, n := range counts {
		counter(c.outcomes, float64(n.Runs), n.Kind, n.Queue, string(n.Outcome))
	}
	for kind, d := range durations {
		to <- prometheus.MustNewConstHistogram(c.duration, d.Runs, d.Seconds, d.Within, kind)
	}
}

func (c *Collector) read(ctx context.Context) (inspect.Stats, []tally.Count, map[string]*tally.Duration, error) {
	i, err := inspect.Of(c.app)
	if err != nil {
		return inspect.Stats{}, nil, nil, err
	}
	stats, err := i.Stats(ctx)
	if err != nil {
		return inspect.Stats{}, nil, nil, err
	}
	client, err := redisdb.Of(c.app)
	if err != nil {
		return inspect.Stats{}, nil, nil, err
	}
	counts, durations, err := tally.Read(ctx, client)
	return stats, counts, durations, err
}
