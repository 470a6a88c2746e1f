package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/worker"
	"github.com/tandem-api/tandem/shared/redisdb/redistest"
)

// What is compared is measured in turns, round after round, on one real Redis, and the
// medians are reported: docs/performance.md. -benchtime 9x makes nine rounds.

const concurrency = 10

// BenchmarkJobs compares this worker with a bare server of asynq: no-op jobs a second.
func BenchmarkJobs(b *testing.B) {
	r := benchServer(b)
	const jobs = 3000
	compare(b, "jobs/s",
		func() float64 { return bareJobs(b, r, jobs) },
		func() float64 { return tandemJobs(b, r, jobs) })
}

// BenchmarkEnqueues compares Job.Enqueue with asynq's client: by ten goroutines.
func BenchmarkEnqueues(b *testing.B) {
	r := benchServer(b)
	const jobs = 5000
	client := asynq.NewClient(asynq.RedisClientOpt{Addr: r.Addr})
	b.Cleanup(func() { _ = client.Close() })
	app := benchApp(b, r)
	compare(b, "enqueues/s", func() float64 {
		r.Do("FLUSHALL")
		return perSecond(b, jobs, func(int) error { _, err := client.EnqueueContext(b.Context(), bareTask()); return err })
	}, func() float64 {
		r.Do("FLUSHALL")
		return perSecond(b, jobs, func(int) error { _, err := noop.Enqueue(b.Context(), app, greeting{"ann"}); return err })
	})
}

// BenchmarkProcesses is how many jobs a second one to four worker processes do: jobs
// that do nothing, which is what Redis and the processors let through, and jobs that
// wait for 20 ms, as for somebody else's answer.
func BenchmarkProcesses(b *testing.B) {
	for _, c := range []struct {
		name string
		jobs int // for each process
		args string
	}{{"that do nothing", 4000, ""}, {"that wait 20 ms", 1000, "20ms"}} {
		b.Run("jobs "+c.name, func(b *testing.B) {
			r := benchServer(b)
			rates := map[int][]float64{}
			for b.Loop() {
				for n := 1; n <= 4; n++ {
					rates[n] = append(rates[n], processesJobs(b, r, n, c.jobs*n, c.args))
				}
			}
			for n := 1; n <= 4; n++ {
				b.ReportMetric(median(rates[n]), fmt.Sprintf("%d-jobs/s", n))
			}
			b.ReportMetric(median(rates[4])/median(rates[1]), "4/1")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// compare measures asynq, twice ours, and asynq again in each round. The ratio is that
// of the medians of all turns: another program disturbs one turn, and not its neighbour.
func compare(b *testing.B, unit string, bare, tandem func() float64) {
	b.Helper()
	var all, ours []float64
	for b.Loop() {
		all, ours = append(all, bare()), append(ours, tandem(), tandem())
		all = append(all, bare())
	}
	b.ReportMetric(median(all), "asynq-"+unit)
	b.ReportMetric(median(ours), "tandem-"+unit)
	b.ReportMetric(median(ours)/median(all), "tandem/asynq")
	b.ReportMetric(0, "ns/op") // of a round: it says nothing
}

// benchServer is a Redis that writes to disk as the project's own does, but does not
// begin to tidy its file up in the middle of a turn.
func benchServer(b *testing.B) *redistest.Server {
	b.Helper()
	return redistest.Start(b, "--auto-aof-rewrite-percentage", "0")
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// noop does nothing, or waits for as long as its argument says.
var noop = queue.Job[greeting]{Kind: "noop", Do: func(_ context.Context, _ *function.App, args greeting) error {
	if d, err := time.ParseDuration(args.Name); err == nil {
		<-time.After(d)
	}
	return nil
}}

func bareTask() *asynq.Task { return asynq.NewTask("noop", []byte(`{"name":"ann"}`)) }

func benchApp(b *testing.B, r *redistest.Server) *function.App {
	b.Helper()
	app := function.New(config.Config{RedisURL: config.Secret("redis://" + r.Addr), LogFormat: "json"}, io.Discard)
	b.Cleanup(func() { _ = app.Close(context.Background()) })
	return app
}

// perSecond does something n times, by ten goroutines.
func perSecond(b *testing.B, n int, do func(int) error) float64 {
	b.Helper()
	began := time.Now()
	var all sync.WaitGroup
	for g := range concurrency {
		all.Go(func() {
			for i := g; i < n; i += concurrency {
				if err := do(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return float64(n) / time.Since(began).Seconds()
}

// meter tells how fast n jobs are done, from the first of them to the last: what it
// takes to start is not counted.
type meter struct {
	n, seen     atomic.Int64
	first, last time.Time
	done        chan struct{}
}

func newMeter(n int) *meter {
	m := &meter{done: make(chan struct{})}
	m.n.Store(int64(n))
	return m
}

func (m *meter) count() {
	switch m.seen.Add(1) {
	case 1:
		m.first = time.Now()
	case m.n.Load():
		m.last = time.Now()
		close(m.done)
	}
}

func (m *meter) rate(b *testing.B) float64 {
	b.Helper()
	select {
	case <-m.done:
	case <-time.After(time.Minute):
		b.Fatalf("%d jobs of %d are done", m.seen.Load(), m.n.Load())
	}
	return float64(m.n.Load()-1) / m.last.Sub(m.first).Seconds()
}

func bareJobs(b *testing.B, r *redistest.Server, n int) float64 {
	b.Helper()
	r.Do("FLUSHALL")
	o := asynq.RedisClientOpt{Addr: r.Addr}
	client := asynq.NewClient(o)
	defer func() { _ = client.Close() }()
	perSecond(b, n, func(int) error { _, err := client.EnqueueContext(b.Context(), bareTask()); return err })
	m := newMeter(n)
	server := asynq.NewServer(o, asynq.Config{Concurrency: concurrency, Queues: queue.Weights(), LogLevel: asynq.FatalLevel})
	err := server.Start(asynq.HandlerFunc(func(_ context.Context, t *asynq.Task) error {
		defer m.count()
		var args greeting
		return json.Unmarshal(t.Payload(), &args) // as everyone's handler begins
	}))
	if err != nil {
		b.Fatal(err)
	}
	defer server.Shutdown()
	return m.rate(b)
}

func tandemJobs(b *testing.B, r *redistest.Server, n int) float64 {
	b.Helper()
	r.Do("FLUSHALL")
	app := benchApp(b, r)
	perSecond(b, n, func(int) error { _, err := noop.Enqueue(b.Context(), app, greeting{"ann"}); return err })
	m := newMeter(n)
	counted := queue.Job[greeting]{Kind: noop.Kind, Do: func(context.Context, *function.App, greeting) error {
		m.count()
		return nil
	}}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- worker.Run(ctx, app, []queue.Declared{counted}, worker.Options{Concurrency: concurrency})
	}()
	rate := m.rate(b)
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	return rate
}

// benchRedis makes this test binary a worker process that does noop.
const benchRedis = "TEST_WORKER_BENCH"

func benchProcess(url string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	app := function.New(config.Config{RedisURL: config.Secret(url), LogFormat: "json"}, io.Discard)
	defer func() { _ = app.Close(context.Background()) }()
	return worker.Run(ctx, app, []queue.Declared{noop}, worker.Options{Concurrency: concurrency})
}

// processesJobs lets processes do n jobs, and measures from when a tenth of them is done
// until a tenth is left: all of them are up then, and none is idle yet.
func processesJobs(b *testing.B, r *redistest.Server, processes, n int, args string) float64 {
	b.Helper()
	r.Do("FLUSHALL")
	app := benchApp(b, r)
	client := redis.NewClient(&redis.Options{Addr: r.Addr})
	defer func() { _ = client.Close() }()
	inspector := asynq.NewInspectorFromRedisClient(client)
	perSecond(b, n, func(int) error { _, err := noop.Enqueue(b.Context(), app, greeting{args}); return err })
	if err := inspector.PauseQueue(queue.Default); err != nil {
		b.Fatal(err)
	}
	for range processes {
		cmd := exec.CommandContext(b.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), benchRedis+"=redis://"+r.Addr)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		defer func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
		}()
	}
	await(b, "the processes are up", func() bool { up, err := inspector.Servers(); return err == nil && len(up) == processes })
	if err := inspector.UnpauseQueue(queue.Default); err != nil {
		b.Fatal(err)
	}
	left := func() int { return int(client.LLen(b.Context(), "asynq:{default}:pending").Val()) }
	var from, to int
	await(b, "a tenth is done", func() bool { from = left(); return from <= n*9/10 })
	began := time.Now()
	await(b, "a tenth is left", func() bool { to = left(); return to <= n/10 })
	return float64(from-to) / time.Since(began).Seconds()
}

func await(b *testing.B, what string, ok func() bool) {
	b.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		if time.Now().After(deadline) {
			b.Fatalf("waited in vain: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}
