package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"strings"
	"sync"
	"testing"
	"time"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/shared/apptest"
)

// bootstrap is the function of the tests, built once: see testdata/function.
var bootstrap string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv("TEST_AS_HOST") != "" {
		return hostUntilKilled(os.Args[1:])
	}
	dir, err := os.MkdirTemp("", "bootstrap-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bootstrap = filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", bootstrap, "./testdata/function")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

func path() string { return os.Getenv("PATH") }

// newHost returns a host that is closed at the end of the test, and its log.
func newHost(t testing.TB, o lambda.Options) (*lambda.Host, *logs) {
	t.Helper()
	l := &logs{}
	o.Path, o.TempDir, o.Log = path(), t.TempDir(), l.add
	h, err := lambda.NewHost(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := h.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return h, l
}

// newPool returns a pool with the tests' function, unless f says another.
func newPool(t testing.TB, h *lambda.Host, f lambda.Function) *lambda.Pool {
	t.Helper()
	if f.Name == "" {
		f.Name = "foo"
	}
	if f.Command == nil {
		f.Command = []string{bootstrap}
	}
	p, err := h.NewPool(f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// invoke runs an event, and wants an answer, good or bad.
func invoke(t testing.TB, p *lambda.Pool, event string) lambda.Result {
	t.Helper()
	r, err := p.Invoke(t.Context(), lambda.Invocation{Payload: []byte(event)})
	if err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	return r
}

// answer runs an event and wants a good answer, which is read into v.
func answer(t testing.TB, p *lambda.Pool, event string, v any) {
	t.Helper()
	r := invoke(t, p, event)
	if err := r.Err(); err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	if err := json.Unmarshal(r.Payload, v); err != nil {
		t.Fatalf("%s: %s: %v", event, r.Payload, err)
	}
}

// logs keeps the lines of a host.
type logs struct {
	mu    sync.Mutex
	lines []lambda.Line
}

func (l *logs) add(line lambda.Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *logs) all() []lambda.Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// text returns the lines of one event, or of all with "".
func (l *logs) text(requestID string) string {
	var b strings.Builder
	for _, line := range l.all() {
		if requestID == "" || line.RequestID == requestID {
			b.WriteString(line.Text + "\n")
		}
	}
	return b.String()
}

// report waits for an event's last line, and returns all its lines.
func (l *logs) report(t testing.TB, requestID string) string {
	t.Helper()
	apptest.Eventually(t, "the REPORT of "+requestID, func() bool {
		return strings.Contains(l.text(requestID), "REPORT RequestId: "+requestID)
	})
	return l.text(requestID)
}

// exists reports whether a file is there.
func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// need skips the test where a program is missing, but not in CI, which has them all.
func need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI lacks %s", program)
	}
	t.Skipf("SKIPPED: %s is not installed", program)
	return ""
}

// throttled reports whether the error says that the function is busy.
func throttled(err error) bool {
	_, ok := errors.AsType[*lambda.ThrottledError](err)
	return ok
}

func touch(t testing.TB, file string) {
	t.Helper()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Error(err)
	}
}
