package main

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
)

// takesMinutes skips a test that compiles the project anew, or waits for long, unless
// TEST_LONG is set, as `make check` and CI do. The race detector would see nothing of
// it: what it does is done by other processes.
func takesMinutes(t testing.TB) {
	t.Helper()
	if os.Getenv("TEST_LONG") == "" {
		t.Skip("SKIPPED: it takes minutes. `make check` runs it, or TEST_LONG=1")
	}
	if underRaceDetector {
		t.Skip("skipped under the race detector: its own process does nothing")
	}
}

// project is a copy of this project, in which a test may do what it likes.
type project struct {
	t    testing.TB
	root string
	env  []string
}

// copyProject copies the sources. The folder's name is short, as supervisor's socket
// in it has to be.
func copyProject(t testing.TB) *project {
	t.Helper()
	root, err := os.MkdirTemp("", "tandem") //nolint:usetesting // t.TempDir's name is long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	from := os.DirFS(apptest.Root(t))
	err = fs.WalkDir(from, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch d.Name() {
		case ".git", "tmp", ".build", ".aws-sam", ".env":
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		to := filepath.Join(root, path)
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		text, err := fs.ReadFile(from, path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, text, info.Mode().Perm())
	})
	if err != nil {
		t.Fatal(err)
	}
	// Without the folder in what is compiled, one copy takes what another has compiled.
	return &project{t: t, root: root, env: append(os.Environ(), "GOFLAGS=-trimpath")}
}

// command runs a program in the project until it ends, and returns all that it said.
func (p *project) command(program string, args ...string) (string, error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = p.root, p.env
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	err := cmd.Run()
	return said.String(), err
}

// commandIn is a program to run in a folder, with these variables.
func commandIn(root string, env []string, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = root, env
	return cmd
}

// must is command for what has to succeed.
func (p *project) must(program string, args ...string) string {
	p.t.Helper()
	said, err := p.command(program, args...)
	if err != nil {
		p.t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, said)
	}
	return said
}

// replace changes a text in one of the project's files.
func (p *project) replace(path, from, to string) {
	p.t.Helper()
	file := filepath.Join(p.root, path)
	text, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(from)) {
		p.t.Fatalf("%s has no %q", path, from)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte(from), []byte(to)), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// catFacts is the URL of a service that knows one fact.
func catFacts(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"fact":"Cats purr.","length":10}`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}
