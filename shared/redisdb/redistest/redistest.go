// Package redistest runs real Redis servers for tests, each on a port and a folder
// of its own. A test that needs one is skipped where redis-server is not installed,
// and fails instead where CI is set: CI has to install it.
package redistest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/apptest/loopback"
)

// Server is a redis-server process.
type Server struct {
	// Addr is host:port.
	Addr string

	t       testing.TB
	secured *Secured
	dir     string
	args    []string
	mu      sync.Mutex
	cmd     *exec.Cmd
}

// Start runs a redis-server that keeps what it has on disk. The arguments are as on
// its command line, `--requirepass`, `secret`. It ends with the test.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return start(t, nil, args...)
}

// StartSecured runs one, and returns its REDIS_URL too.
func StartSecured(t testing.TB, secured *Secured) (s *Server, redisURL string) {
	t.Helper()
	s = start(t, secured)
	return s, secured.url("", "", s.Addr)
}

func start(t testing.TB, secured *Secured, args ...string) *Server {
	t.Helper()
	port := loopback.Port(t)
	s := newServer(t, port, secured)
	s.args = append(s.args, "--bind", "127.0.0.1", "--dir", s.dir, "--appendonly", "yes", "--save", "", "--logfile", filepath.Join(s.dir, "log"))
	for _, setting := range secured.on(port) {
		s.args = append(s.args, "--"+setting[0], setting[1])
	}
	if secured != nil {
		s.args = append(s.args, "--masterauth", secured.password)
	}
	s.args = append(s.args, args...)
	s.Restart()
	t.Cleanup(s.Kill)
	return s
}

// newServer returns one that does not run yet.
func newServer(t testing.TB, port int, secured *Secured) *Server {
	t.Helper()
	return &Server{
		Addr: net.JoinHostPort("127.0.0.1", itoa(port)), t: t, secured: secured, dir: t.TempDir(),
		args: []string{Need(t, "redis-server")},
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

// Need returns the path of a program, or skips the test, or fails it in CI.
func Need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed, and CI needs it", program)
	}
	t.Skipf("SKIPPED: %s is not installed", program)
	return ""
}

// Restart runs the server again, after Kill for example. It returns once the port is
// open, which may be before Redis has read its file.
func (s *Server) Restart() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd = exec.CommandContext(context.Background(), s.args[0], s.args[1:]...) // Kill ends it
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start redis-server: %v", err)
	}
	apptest.Eventually(s.t, "redis-server listens", func() bool {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(s.t.Context(), "tcp", s.Addr)
		if err != nil {
			return false
		}
		_ = c.Close()
		return true
	})
}

// Kill ends the process at once, as kill -9 does.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop lets the process end in good order.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

func (s *Server) end(signal syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGCONT)
	_ = s.cmd.Process.Signal(signal)
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Freeze makes the server hang: it takes connections and answers nothing. The
// returned function lets it go on.
func (s *Server) Freeze() (thaw func()) {
	process := s.cmd.Process
	_ = process.Signal(syscall.SIGSTOP)
	return func() { _ = process.Signal(syscall.SIGCONT) }
}

// Do sends a command, for a test that sets the server up.
func (s *Server) Do(args ...any) any {
	s.t.Helper()
	o := &redis.Options{Addr: s.Addr}
	if s.secured != nil {
		o.Password, o.TLSConfig = s.secured.password, s.secured.config
	}
	c := redis.NewClient(o)
	defer func() { _ = c.Close() }()
	v, err := c.Do(context.Background(), args...).Result()
	if err != nil {
		s.t.Fatalf("redis: %v: %v", fmt.Sprint(args...), err)
	}
	return v
}
