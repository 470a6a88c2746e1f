package apptest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Process is a function's own binary, running behind a Runtime.
type Process struct {
	t     testing.TB
	cmd   *exec.Cmd
	out   *buffer
	ended chan struct{}
}

// Build compiles a main package of this module, such as "./functions/foo/bootstrap",
// as it is built for Lambda, and returns the binary, which goes with the test.
func Build(t testing.TB, pkg string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "bootstrap")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags=lambda.norpc", "-trimpath", "-ldflags=-s -w", "-buildvcs=false", "-o", binary, pkg)
	cmd.Dir = Root(t)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	return binary
}

// Root returns the module's root, wherever in it the test runs.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			t.Fatalf("no go.mod above %s", dir)
		}
	}
}

// EventFile returns a recorded event, events/NAME.json.
func EventFile(t testing.TB, name string) []byte {
	t.Helper()
	event, err := os.ReadFile(filepath.Join(Root(t), "events", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// Env returns the app's settings as the variables of a process, which then shares the
// app's database, Redis and reports.
func (a *App) Env() []string {
	secrets := make([]string, len(a.Config.AuthSecrets))
	for i, s := range a.Config.AuthSecrets {
		secrets[i] = s.Reveal()
	}
	return []string{
		"DATABASE_URL=" + a.Config.DatabaseURL.Reveal(), "REDIS_URL=" + a.Config.RedisURL.Reveal(),
		"HONEYBADGER_API_KEY=" + a.Config.HoneybadgerAPIKey.Reveal(), "HONEYBADGER_ENDPOINT=" + a.Config.HoneybadgerEndpoint,
		"ENVIRONMENT=" + a.Config.Environment, "AUTH_SECRET=" + strings.Join(secrets, ","), "CATFACTS_URL=" + a.Config.CatfactsURL,
	}
}

// Start starts a binary behind the Runtime API, with the variables NAME=VALUE and, of
// Lambda's own, those that say where the API is and what the function is called. The
// process ends with the test.
func (rt *Runtime) Start(binary, name string, env ...string) *Process {
	rt.t.Helper()
	p := &Process{t: rt.t, cmd: exec.Command(binary), out: &buffer{}, ended: make(chan struct{})}
	p.cmd.Dir = rt.t.TempDir()
	p.cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + rt.addr, "AWS_LAMBDA_FUNCTION_NAME=" + name,
		"AWS_REGION=eu-central-1", "TZ=UTC", "_HANDLER=bootstrap", "LAMBDA_TASK_ROOT=" + filepath.Dir(binary),
	}, env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		rt.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the state says how it ended
		close(p.ended)
	}()
	rt.process = p
	rt.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		if rt.t.Failed() {
			rt.t.Logf("the process of %s has written:\n%s", name, p.out.bytes())
		}
	})
	return p
}

// done is closed when the process has ended. There may be none: then it never is.
func (p *Process) done() <-chan struct{} {
	if p == nil {
		return nil
	}
	return p.ended
}

// Stop sends a SIGTERM and returns the exit status, as Wait does.
func (p *Process) Stop() int {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	return p.Wait()
}

// Wait waits for the process' end and returns its exit status, -1 for a signal.
func (p *Process) Wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(timeout):
		p.t.Fatalf("the process has not ended after %s:\n%s", timeout, p.out.bytes())
		return 0
	}
}

// Output returns what the process has written so far, to either output.
func (p *Process) Output() string { return string(p.out.bytes()) }
