// Package supervise starts and stops the programs of supervisord.conf: Redis, the
// server and the workers. It is what `make up`, `down` and `status` do.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Site is a project's folder, in which supervisord.conf and redis.conf stand.
type Site struct {
	Root string // absolute
	// Addr is where the server will listen, host:port; only Up needs it.
	Addr string
	Out  io.Writer
}

// Errors that say what state the site is in.
var (
	ErrUp   = errors.New("it is up already: `make status` shows it, `make down` ends it")
	ErrDown = errors.New("nothing is up: `make up` starts it")
)

func (s Site) conf() string    { return filepath.Join(s.Root, "supervisord.conf") }
func (s Site) socket() string  { return filepath.Join(s.Root, "tmp", "supervisor.sock") }
func (s Site) pidfile() string { return filepath.Join(s.Root, "tmp", "supervisord.pid") }

// maxSocket is how long the socket's path may be. Linux takes 107 bytes and macOS
// 103, of which supervisord needs a few for the process id that it adds at first.
const maxSocket = 95

// ctl runs supervisorctl and returns what it said. A status of 3 is no error: it means
// that some program is not running.
func (s Site) ctl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "supervisorctl", append([]string{"-c", s.conf()}, args...)...)
	said, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(said))
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 3 {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("supervisorctl %s: %w: %s", strings.Join(args, " "), err, text)
	}
	return text, err
}

// pid returns the process id of the supervisord that runs this site, or ErrDown.
func (s Site) pid(ctx context.Context) (string, error) {
	if _, err := os.Stat(s.socket()); err != nil {
		return "", ErrDown // the quick way: supervisorctl takes a while to find out
	}
	said, err := s.ctl(ctx, "pid")
	switch {
	case err == nil && isNumber(said):
		return said, nil
	case ctx.Err() != nil:
		return "", fmt.Errorf("ask supervisord for its pid: %w", ctx.Err())
	}
	return "", ErrDown
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Status prints a line a program, or returns ErrDown.
func (s Site) Status(ctx context.Context) error {
	if _, err := s.pid(ctx); err != nil {
		return err
	}
	said, err := s.ctl(ctx, "status")
	if err != nil {
		return err
	}
	fmt.Fprintln(s.Out, said)
	return nil
}

// A program's state, as supervisorctl names it.
type program struct {
	name  string // main, redis, worker:worker-0, …
	state string // RUNNING, STARTING, BACKOFF, FATAL, EXITED, …
}

func (s Site) programs(ctx context.Context) ([]program, error) {
	said, err := s.ctl(ctx, "status")
	if err != nil {
		return nil, err
	}
	var all []program
	for line := range strings.Lines(said) {
		if f := strings.Fields(line); len(f) >= 2 {
			all = append(all, program{f[0], f[1]})
		}
	}
	return all, nil
}

// log is where supervisord.conf puts a program's output.
func (s Site) log(name string) string {
	if _, process, grouped := strings.Cut(name, ":"); grouped {
		name = process
	}
	return filepath.Join(s.Root, "tmp", "log", name+".log")
}
