package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/shared/apptest/loopback"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/redisdb/redistest"
	"github.com/tandem-api/tandem/shared/workers"
)

// supervised is a copy of the project that can be under supervisor without being in the way
// of another one on this machine.
type supervised struct {
	*project
	server, page, redis string // host:port
}

func newSupervised(t *testing.T) *supervised {
	t.Helper()
	for _, program := range []string{"make", "supervisord", "supervisorctl", "redis-server"} {
		redistest.Need(t, program)
	}
	address := func() (addr, port string) {
		n := loopback.Port(t)
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(n)), strconv.Itoa(n)
	}
	s := &supervised{project: copyProject(t)}
	s.server, _ = address()
	s.page, _ = address()
	var port string
	s.redis, port = address()
	s.replace("redis.conf", "port 6390", "port "+port)
	s.replace("supervisord.conf", "127.0.0.1:6390", s.redis)
	s.replace("supervisord.conf", "127.0.0.1:9001", s.page)
	s.env = append(s.env, "ADDR="+s.server, "CATFACTS_URL="+catFacts(t), "DATABASE_URL=", "REDIS_URL=", "LOG_LEVEL=")
	t.Cleanup(func() {
		if said, err := s.down(); err != nil {
			t.Errorf("make down: %v\n%s", err, said)
		}
	})
	return s
}

// down is for after the test as well, when the test's context has ended.
func (s *supervised) down() (string, error) {
	cmd := commandIn(s.root, s.env, "make", "down")
	said, err := cmd.CombinedOutput()
	return string(said), err
}

// running returns the process ids of the programs that are RUNNING, by their names.
func (s *supervised) running() map[string]int {
	said, err := s.command("supervisorctl", "-c", "supervisord.conf", "status")
	if err != nil && !strings.Contains(said, "pid") {
		return nil
	}
	all := map[string]int{}
	for line := range strings.Lines(said) {
		var name, state string
		var pid int
		if n, _ := fmt.Sscanf(line, "%s %s pid %d,", &name, &state, &pid); n == 3 && state == "RUNNING" {
			all[name] = pid
		}
	}
	return all
}

func (s *supervised) get(path string) (int, string) {
	answer, err := http.Get("http://" + s.server + path)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body)
}

// within waits until ok is true: longer than apptest.Eventually, as processes start here.
func within(t *testing.T, patience time.Duration, name string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("waited %s, and not yet: %s", patience, name)
		}
	}
}

var programs = []string{"main", "redis", "worker:worker-0", "worker:worker-1"}

func TestUnderSupervisor(t *testing.T) {
	takesMinutes(t)
	t.Parallel()
	s := newSupervised(t)
	said := s.must("make", "up")
	if strings.Count(said, "RUNNING") != len(programs) || !strings.Contains(said, "http://"+s.server) {
		t.Errorf("make up says:\n%s", said)
	}
	t.Run("make status shows four programs", func(t *testing.T) {
		said := s.must("make", "status")
		for _, name := range programs {
			if !strings.Contains(said, name+" ") {
				t.Errorf("no %s in:\n%s", name, said)
			}
		}
		if strings.Count(said, "RUNNING") != len(programs) {
			t.Errorf("not all are RUNNING:\n%s", said)
		}
	})
	t.Run("a second make up is refused", func(t *testing.T) {
		if said, err := s.command("make", "up"); err == nil || !strings.Contains(said, "up already") {
			t.Errorf("%v: %s", err, said)
		}
	})
	t.Run("supervisor's page answers", func(t *testing.T) {
		answer, err := http.Get("http://" + s.page + "/")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if body, _ := io.ReadAll(answer.Body); answer.StatusCode != 200 || !strings.Contains(string(body), "worker-1") {
			t.Errorf("%s: %s", answer.Status, body)
		}
	})
	t.Run("a job of a request is done by a worker", s.doesAJob)
	t.Run("a killed program comes back", s.survivesKills)
	t.Run("a job of a killed worker is done by the other one", s.recoversAJob)
	t.Run("make down leaves nothing", s.endsAll)
}

// inspector looks into the queues; it wants Redis up.
func (s *supervised) inspector(t *testing.T) *asynq.Inspector {
	i := asynq.NewInspector(asynq.RedisClientOpt{Addr: s.redis})
	t.Cleanup(func() { _ = i.Close() })
	return i
}

func (s *supervised) doesAJob(t *testing.T) {
	if status, body := s.get("/baz"); status != 200 || !strings.Contains(body, "Cats purr.") {
		t.Fatalf("GET /baz: %d %s", status, body)
	}
	i := s.inspector(t)
	within(t, time.Minute, "the job is completed", func() bool {
		done, err := i.ListCompletedTasks("default")
		return err == nil && len(done) == 1 && done[0].Type == "slow_job"
	})
	if status, body := s.get("/internal/asynq/api/queues/default"); status != 200 {
		t.Errorf("the dashboard: %d %s", status, body)
	}
}

func (s *supervised) survivesKills(t *testing.T) {
	for _, name := range programs {
		before := s.running()[name]
		if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
			t.Fatalf("kill %s (%d): %v", name, before, err)
		}
		within(t, time.Minute, name+" is back", func() bool {
			now := s.running()[name]
			return now != 0 && now != before
		})
	}
	within(t, time.Minute, "the server is healthy again", func() bool {
		status, _ := s.get("/health")
		return status == 200 && len(s.running()) == len(programs)
	})
}

func (s *supervised) recoversAJob(t *testing.T) {
	app := function.New(config.Config{RedisURL: config.Secret("redis://" + s.redis)}, t.Output())
	t.Cleanup(func() { _ = app.Close(t.Context()) })
	info, err := workers.SlowJob.Enqueue(t.Context(), app, workers.SlowArgs{Seconds: 15})
	if err != nil {
		t.Fatal(err)
	}
	i := s.inspector(t)
	var first int
	within(t, time.Minute, "a worker tells that it runs the job", func() bool {
		first = runs(t, i, info.ID)
		return first != 0
	})
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	// asynq takes a job for lost 30 s after its worker's last sign of life, and looks
	// for lost ones every minute.
	within(t, 4*time.Minute, "the other worker has done the job", func() bool {
		task, err := i.GetTaskInfo("default", info.ID)
		return err == nil && task.State == asynq.TaskStateCompleted
	})
	t.Logf("done %s after the kill", time.Since(killed).Round(time.Second))
}

// runs returns the process id of the worker that runs the job, or 0.
func runs(t *testing.T, i *asynq.Inspector, id string) int {
	servers, err := i.Servers()
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range servers {
		for _, w := range server.ActiveWorkers {
			if w.TaskID == id {
				return server.PID
			}
		}
	}
	return 0
}

func (s *supervised) endsAll(t *testing.T) {
	before := s.running()
	if said, err := s.down(); err != nil {
		t.Fatalf("make down: %v\n%s", err, said)
	}
	for name, pid := range before {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("%s (%d) still runs", name, pid)
		}
	}
	for _, addr := range []string{s.server, s.page, s.redis} {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			t.Errorf("something still listens on %s", addr)
		}
	}
	if said, err := s.command("make", "status"); err == nil || !strings.Contains(said, "nothing is up") {
		t.Errorf("make status: %v: %s", err, said)
	}
}

func TestUpShowsWhyTheServerDoesNotStart(t *testing.T) {
	takesMinutes(t)
	t.Parallel()
	s := newSupervised(t)
	s.env = append(s.env, "DATABASE_URL=postgres://nobody@127.0.0.1:1/nothing")
	said, err := s.command("make", "up")
	if err == nil {
		t.Fatal("make up succeeds without a database")
	}
	for _, says := range []string{filepath.Join("tmp", "log", "main.log"), "127.0.0.1:1", "main"} {
		if !strings.Contains(said, says) {
			t.Errorf("no %q in:\n%s", says, said)
		}
	}
	if left := s.running(); len(left) > 0 {
		t.Errorf("left running: %v", left)
	}
}

func TestUpIsRefusedWhereAPortIsTaken(t *testing.T) {
	takesMinutes(t)
	t.Parallel()
	s := newSupervised(t)
	other, err := net.Listen("tcp", s.page)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	said, err := s.command("make", "up")
	if err == nil || !strings.Contains(said, s.page) || !strings.Contains(said, "supervisord.conf") {
		t.Errorf("%v: %s", err, said)
	}
}
