package worker_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/worker"
	"github.com/tandem-api/tandem/shared/redisdb"
	"github.com/tandem-api/tandem/shared/redisdb/redistest"
)

// The variables that make this test binary a worker process.
const (
	workerRedis = "TEST_WORKER_REDIS"
	workerStart = "TEST_WORKER_START" // of the ticks, RFC 3339
	workerQueue = "TEST_WORKER_QUEUE"
)

const ticks = 40 // one a second

func TestMain(m *testing.M) {
	var err error
	switch {
	case os.Getenv(workerRedis) != "":
		err = workerProcess(os.Getenv(workerRedis), os.Getenv(workerStart), os.Getenv(workerQueue))
	case os.Getenv(benchRedis) != "":
		err = benchProcess(os.Getenv(benchRedis))
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// record notes in Redis which tick ran, and who scheduled meanwhile.
var record = queue.Job[greeting]{Kind: "record", Do: func(ctx context.Context, app *function.App, args greeting) error {
	c, err := redisdb.Of(app)
	if err != nil {
		return err
	}
	return c.RPush(ctx, "ran", args.Name).Err()
}}

func workerProcess(url, start, from string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	first, err := time.Parse(time.RFC3339, start)
	if err != nil {
		return err
	}
	var timed []queue.Timed
	for i := range ticks {
		when := first.Add(time.Duration(i) * time.Second).UTC().Format("at(2006-01-02T15:04:05)")
		timed = append(timed, queue.NewTimed("test", when, "", record.With(greeting{fmt.Sprint(i)})))
	}
	app := function.New(config.Config{RedisURL: config.Secret(url)}, os.Stderr)
	defer func() { _ = app.Close(context.Background()) }()
	return worker.Run(ctx, app, []queue.Declared{record}, worker.Options{Timed: timed, Queues: map[string]int{from: 1}})
}

// Three worker processes, a tick each second, and the one that schedules is killed
// with -9: another takes over within 30 s, and each tick has run once.
func TestSchedulerFailover(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes most of a minute")
	}
	r := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: r.Addr})
	defer func() { _ = client.Close() }()
	start := time.Now().Add(2 * time.Second)
	workers := make([]*exec.Cmd, 3)
	for i := range workers {
		// The one that is killed does no jobs: none is lost with it.
		from := queue.Default
		if i == 0 {
			from = queue.Low
		}
		workers[i] = exec.CommandContext(t.Context(), os.Args[0]) // this test itself
		workers[i].Env = append(os.Environ(), workerRedis+"=redis://"+r.Addr, workerStart+"="+start.Format(time.RFC3339), workerQueue+"="+from)
		workers[i].Stderr = os.Stderr
		if err := workers[i].Start(); err != nil {
			t.Fatal(err)
		}
		if i == 0 { // it is the one that schedules
			eventually(t, "the first worker schedules", func() bool {
				return client.Exists(t.Context(), "tandem:scheduler").Val() == 1
			})
		}
	}
	eventually(t, "ticks fire", func() bool { return client.LLen(t.Context(), "ran").Val() >= 3 })
	leader := client.Get(t.Context(), "tandem:scheduler").Val()
	_ = workers[0].Process.Kill()
	_ = workers[0].Wait()
	killed := time.Now()
	within(t, 30*time.Second, "another takes over", func() bool {
		now := client.Get(t.Context(), "tandem:scheduler").Val()
		return now != "" && now != leader
	})
	t.Logf("another worker scheduled %s after the death of the first", time.Since(killed).Round(100*time.Millisecond))

	within(t, time.Until(start.Add((ticks+30)*time.Second)), "all ticks run", func() bool {
		return client.LLen(t.Context(), "ran").Val() >= ticks
	})
	for _, w := range workers[1:] {
		_ = w.Process.Signal(syscall.SIGTERM)
		if err := w.Wait(); err != nil {
			t.Errorf("a worker ended with %v", err)
		}
	}
	ran := map[string]int{}
	for _, name := range client.LRange(t.Context(), "ran", 0, -1).Val() {
		ran[name]++
	}
	var wrong []string
	for i := range ticks {
		if n := ran[fmt.Sprint(i)]; n != 1 {
			wrong = append(wrong, fmt.Sprintf("tick %d ran %d times", i, n))
		}
	}
	if len(wrong) > 0 {
		t.Error(strings.Join(wrong, ", "))
	}
}
