package lambda_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/shared/apptest"
)

func testdata(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAnyBootstrapRuns(t *testing.T) {
	t.Run("Python", func(t *testing.T) {
		h, l := newHost(t, lambda.Options{})
		p := newPool(t, h, lambda.Function{Command: []string{need(t, "python3"), testdata(t, "bootstrap.py")}, Handler: "app.handler", Timeout: time.Minute})
		var first, next struct {
			Python  map[string]int
			PID     int
			Handler string
		}
		answer(t, p, `{"a":1}`, &first)
		answer(t, p, `{"a":2}`, &next)
		if first.Python["a"] != 1 || next.Python["a"] != 2 || first.PID != next.PID || first.Handler != "app.handler" {
			t.Errorf("%+v, %+v", first, next)
		}
		r := invoke(t, p, `{"do":"error"}`)
		if r.ErrorType != "PythonError" || string(r.Payload) != `{"errorType": "PythonError", "errorMessage": "no"}` {
			t.Errorf("%s %s", r.ErrorType, r.Payload)
		}
		if log := l.report(t, r.RequestID); !strings.Contains(log, "\ngot {'do': 'error'}\nEND") {
			t.Errorf("the log is\n%s", log)
		}
	})
	t.Run("a script with an interpreter of its own", func(t *testing.T) {
		need(t, "bash")
		h, _ := newHost(t, lambda.Options{})
		p := newPool(t, h, lambda.Function{Command: []string{testdata(t, "bootstrap.bash")}, Timeout: time.Minute})
		for i := range 3 {
			var got struct {
				Shell int
				Child int
			}
			answer(t, p, strconv.Itoa(i), &got)
			if got.Shell != i || got.Child == 0 {
				t.Errorf("%+v", got)
			}
		}
	})
}

// A host that is killed cannot clean up. The test is its own host for that.
func TestNothingOutlivesAHostThatIsKilled(t *testing.T) {
	for name, command := range map[string][]string{
		"a binary":                 {bootstrap},
		"a script and its child":   {need(t, "bash"), testdata(t, "bootstrap.bash")},
		"a process that is frozen": {bootstrap, "-frozen"},
	} {
		t.Run(name, func(t *testing.T) {
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			host := exec.Command(self, command...)
			tmp := t.TempDir()
			host.Env = append(os.Environ(), "TEST_AS_HOST=1", "TMPDIR="+tmp)
			host.Stderr = os.Stderr
			out, err := host.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := host.Start(); err != nil {
				t.Fatal(err)
			}
			said := bufio.NewScanner(out)
			said.Scan() // its process is at work, or frozen
			pid, err := strconv.Atoi(said.Text())
			if err != nil {
				t.Fatal(err)
			}
			apptest.Eventually(t, "a process group", func() bool { return len(group(t, pid)) > 0 })
			if name == "a script and its child" {
				apptest.Eventually(t, "a child", func() bool { return len(group(t, pid)) == 2 })
			}
			if name == "a process that is frozen" {
				apptest.Eventually(t, "the frost", func() bool { return stateOf(pid) == "T" })
			}
			if err := host.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = host.Wait()
			apptest.Eventually(t, "all processes to end", func() bool { return len(group(t, pid)) == 0 })
			apptest.Eventually(t, "their files to be gone", func() bool {
				left, err := os.ReadDir(tmp)
				return err == nil && len(left) == 0
			})
		})
	}
}

// hostUntilKilled is what the test runs as: a host with one process at work, or a
// frozen one. It writes the process's id.
func hostUntilKilled(command []string) int {
	frozen := len(command) > 1 && command[1] == "-frozen"
	h, err := lambda.NewHost(lambda.Options{Path: path(), Freeze: frozen})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	p, err := h.NewPool(lambda.Function{Name: "foo", Command: command, Timeout: time.Minute})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if frozen {
		_, _ = p.Invoke(context.Background(), lambda.Invocation{Payload: []byte(`{"do":"echo"}`)})
	} else {
		go func() { _, _ = p.Invoke(context.Background(), lambda.Invocation{Payload: []byte(`{"do":"hang"}`)}) }()
	}
	pid := ""
	for pid == "" {
		pid = childOf(os.Getpid(), filepath.Base(command[0]))
	}
	_, _ = fmt.Fprintln(os.Stdout, pid)
	select {}
}

// childOf finds a child of a process by its command, in /proc.
func childOf(parent int, command string) string {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		stat, _ := os.ReadFile(file)
		var pid, ppid int
		var comm, state string
		if n, _ := fmt.Sscan(string(stat), &pid, &comm, &state, &ppid); n == 4 && ppid == parent && strings.Trim(comm, "()") == command {
			return strconv.Itoa(pid)
		}
	}
	return ""
}

// group lists the living processes of a process group.
func group(t *testing.T, id int) []int {
	t.Helper()
	var pids []int
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Skip("SKIPPED: no /proc to look for processes in")
	}
	for _, file := range stats {
		stat, _ := os.ReadFile(file)
		var pid, ppid, pgrp int
		var comm, state string
		if n, _ := fmt.Sscan(string(stat), &pid, &comm, &state, &ppid, &pgrp); n == 5 && pgrp == id && state != "Z" {
			pids = append(pids, pid)
		}
	}
	return pids
}
