package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/workers"
)

// What `make soak` asks for. Without jobs, no other run of the tests soaks anything.
var (
	soakJobs     = flag.Int("soak.jobs", 0, "how many jobs TestSoak does")
	soakKills    = flag.Int("soak.kills", 5, "how often TestSoak kills a worker with -9")
	soakRestarts = flag.Int("soak.restarts", 2, "how often TestSoak restarts Redis: in good order, then by -9, and so on")
)

const (
	// One job of so many takes a second, so that there is always one under way to
	// lose; the others take no time.
	slowOne = 20
	// ahead is how many jobs may wait at most: they come while things break.
	ahead = 2000
	// unsure is the time before a kill -9 of Redis from which what it has taken may
	// be gone: appendfsync everysec promises a second, and Redis itself says two.
	unsure = 2 * time.Second
	// settling is how long the last jobs may take: a lost one is found after its
	// lease of 30 s, by a look each minute.
	settling = 4 * time.Minute
)

// TestSoak puts many jobs through what `make up` starts, while a worker is killed and
// Redis restarted: each is done at least once, and none is lost.
func TestSoak(t *testing.T) {
	if *soakJobs == 0 {
		t.Skip("SKIPPED: `make soak` runs it")
	}
	s := newSoak(t)
	began := time.Now()
	var enqueueing sync.WaitGroup
	enqueueing.Go(s.enqueueAll)
	for i, event := range s.events() {
		s.waitDone("done before event "+fmt.Sprint(i), *soakJobs*(i+1)/(len(s.events())+1), settling)
		event()
	}
	enqueueing.Wait()
	t.Logf("%s: all are enqueued, and nothing is killed any more", s.since(began))
	s.waitDone("all are done", *soakJobs, settling)
	t.Logf("%s: all are done", s.since(began))
	s.judge()
}

// soak is a site under supervisor, and what it was asked to do.
type soak struct {
	*supervised
	t       *testing.T
	app     *function.App
	queues  *asynq.Inspector
	mu      sync.Mutex
	taken   []time.Time // when Redis had taken the job, by its number
	done    int         // as last seen
	mayLose int         // those that Redis has lost, as it is allowed to
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	s := &soak{supervised: newSupervised(t), t: t, taken: make([]time.Time, *soakJobs)}
	// All of the workers' lines are needed in the end.
	s.replace("supervisord.conf", "stdout_logfile_maxbytes=10MB", "stdout_logfile_maxbytes=0")
	t.Log(s.must("make", "up"))
	s.app = function.New(config.Config{RedisURL: config.Secret("redis://" + s.redis)}, t.Output())
	t.Cleanup(func() { _ = s.app.Close(context.Background()) })
	s.queues = s.inspector(t)
	return s
}

func soakID(n int) string { return fmt.Sprintf("soak-%d", n) }

func (s *soak) since(began time.Time) time.Duration { return time.Since(began).Round(time.Second) }

func (s *soak) enqueueAll() {
	for n := range *soakJobs {
		for n-s.doneSoFar() > ahead {
			if !s.moment() {
				return
			}
		}
		for {
			_, err := s.enqueue(n)
			if err == nil {
				break
			}
			if !s.moment() { // Redis is away: again
				return
			}
		}
	}
}

// enqueue reports whether the job was not there already. A job is asked for until Redis
// says that it has it, as each client has to.
func (s *soak) enqueue(n int) (fresh bool, err error) {
	args := workers.SlowArgs{}
	if n%slowOne == 0 {
		args.Seconds = 1
	}
	_, err = workers.SlowJob.Enqueue(s.t.Context(), s.app, args, queue.ID(soakID(n)))
	fresh = err == nil
	if errors.Is(err, queue.ErrIDTaken) {
		err = nil
	}
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken[n] = time.Now()
	}
	return fresh, err
}

// moment lets one pass, and reports whether the test goes on.
func (s *soak) moment() bool {
	select {
	case <-time.After(50 * time.Millisecond):
		return true
	case <-s.t.Context().Done():
		return false
	}
}

// events are what breaks, the kills of a worker and the restarts of Redis mixed evenly.
func (s *soak) events() []func() {
	all := *soakKills + *soakRestarts
	events := make([]func(), 0, all)
	for i, restarts := 0, 0; i < all; i++ {
		if *soakRestarts*(i+1)/all > restarts {
			gently := restarts%2 == 0
			restarts++
			events = append(events, func() { s.restartRedis(gently) })
			continue
		}
		events = append(events, func() { s.kill("worker:worker-0") })
	}
	return events
}

// kill kills a program with -9, and returns once supervisor has started it again.
func (s *soak) kill(name string) {
	s.t.Helper()
	var before int
	within(s.t, time.Minute, name+" runs", func() bool {
		before = s.running()[name]
		return before != 0
	})
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		s.t.Fatalf("kill %s (%d): %v", name, before, err)
	}
	s.t.Logf("killed %s with -9, after %d jobs were done", name, s.doneSoFar())
	within(s.t, time.Minute, name+" is back", func() bool {
		now := s.running()[name]
		return now != 0 && now != before
	})
}

// restartRedis restarts it in good order, or by kill -9. Then it asks again for what
// Redis had taken shortly before: what is not there any more was lost. In good order,
// nothing may be.
func (s *soak) restartRedis(gently bool) {
	s.t.Helper()
	began := time.Now()
	if gently {
		s.t.Logf("restarting Redis in good order, after %d jobs were done", s.doneSoFar())
		s.must("supervisorctl", "-c", "supervisord.conf", "restart", "redis")
	} else {
		s.kill("redis")
	}
	within(s.t, time.Minute, "Redis answers", func() bool { _, err := s.queues.Queues(); return err == nil })
	lost := 0
	for n, taken := range s.takenBetween(began.Add(-unsure), time.Now()) {
		if taken {
			within(s.t, time.Minute, "the job is asked for again", func() bool {
				fresh, err := s.enqueue(n)
				if fresh {
					lost++
				}
				return err == nil
			})
		}
	}
	if lost > 0 && gently {
		s.t.Errorf("Redis has lost %d jobs that it had taken, though it was stopped in good order", lost)
	}
	s.mayLose += lost
}

func (s *soak) takenBetween(from, to time.Time) []bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	between := make([]bool, len(s.taken))
	for n, at := range s.taken {
		between[n] = at.After(from) && at.Before(to)
	}
	return between
}

// doneSoFar is how many jobs are completed, as far as Redis says.
func (s *soak) doneSoFar() int {
	q, err := s.queues.GetQueueInfo(queue.Default)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.done = q.Completed
	}
	return s.done
}

// waitDone waits until so many jobs are done. Where that takes too long, it says what
// became of the others.
func (s *soak) waitDone(what string, jobs int, patience time.Duration) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for s.doneSoFar() < jobs && s.moment() {
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: %d of %d after %s; those taken and not done are %v", what, s.doneSoFar(), jobs, patience, s.left())
		}
	}
}

// left counts the jobs that Redis had taken and that are not completed, by their state;
// the lost ones have none.
func (s *soak) left() map[string]int {
	counts := map[string]int{}
	for n, taken := range s.takenBetween(time.Time{}, time.Now()) {
		if !taken {
			continue
		}
		task, err := s.queues.GetTaskInfo(queue.Default, soakID(n))
		switch {
		case errors.Is(err, asynq.ErrTaskNotFound):
			counts["lost"]++
		case err != nil:
			counts[err.Error()]++
		case task.State != asynq.TaskStateCompleted:
			counts[task.State.String()]++
		}
	}
	return counts
}

// judge compares what the workers have written with what was asked for. A worker writes
// its line before it tells Redis that the job is done, and supervisor has the line even
// if the worker is killed then: the files know of each run, whatever became of Redis.
func (s *soak) judge() {
	s.t.Helper()
	if left := s.left(); len(left) > 0 {
		s.t.Errorf("not completed: %v", left)
	}
	runs := map[string]int{}
	logs, _ := filepath.Glob(filepath.Join(s.root, "tmp", "log", "worker-*.log"))
	for _, path := range logs {
		text, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var entry struct{ Msg, JobID string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "job done" {
				runs[entry.JobID]++
			}
		}
	}
	undone, repeats, again := 0, 0, 0
	for n := range *soakJobs {
		if runs[soakID(n)] == 0 {
			undone++
			continue
		}
		repeats += runs[soakID(n)] - 1
		task, err := s.queues.GetTaskInfo(queue.Default, soakID(n))
		if err != nil {
			s.t.Fatal(err)
		}
		again += task.Retried
	}
	if undone > 0 {
		s.t.Errorf("of %d jobs no worker has written that it did them", undone)
	}
	if *soakKills > 0 && repeats+again == 0 {
		s.t.Error("nothing ran again: whatever was killed did nothing at the time, and all of this shows nothing")
	}
	s.t.Logf("%d jobs over two workers, %d kills of a worker, %d restarts of Redis: %d not done, %d begun again as their worker had died, %d repeats (done once more than needed); Redis had taken and lost %d in the %s before it was killed",
		*soakJobs, *soakKills, *soakRestarts, undone, again, repeats, s.mayLose, unsure)
}
