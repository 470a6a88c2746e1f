// Package build compiles Go programs for this machine, as fast as go can: what
// `serve -isolate` and `serve -watch` run. What is deployed is built elsewhere, for
// Lambda's machine.
package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Program is a Go main package.
type Program struct {
	// Name tells the programs of a folder apart, and is a file's name.
	Name string
	// Dir is the package's folder, an absolute path.
	Dir string
	// File is what the executable is called.
	File string
	// Tags are build tags, with commas between.
	Tags string
}

// Error is the compiler's answer to a program that it cannot build.
type Error struct {
	Program string
	Text    string // lines of file:line:column: what is wrong; files as seen from the module's root
}

func (e *Error) Error() string { return e.Program + " does not build:\n" + e.Text }

// Folder keeps programs. Below it, each has a file that go finds again the next time,
// and leaves as it is where nothing has changed. What is run is another name of that
// file, which no later build takes away.
type Folder struct {
	dir, run string

	mu   sync.Mutex
	last map[string]string // by the program's name: the path that runs
	made int
}

// Dir is where the local host keeps the programs that it builds.
const Dir = "tmp/programs"

// Open returns the folder at dir, which is made where it is not there. Close it.
func Open(dir string) (*Folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	sweep(dir)
	f := &Folder{dir: dir, run: filepath.Join(dir, running+strconv.Itoa(os.Getpid())), last: map[string]string{}}
	if err := os.MkdirAll(f.run, 0o755); err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	return f, nil
}

// Close removes what is run, and leaves what the next build starts from.
func (f *Folder) Close() error { return os.RemoveAll(f.run) }

// Build compiles a program and returns the path of its executable: a new one, or, where
// nothing has changed, the one of the last time. An *Error is the compiler's. Different
// programs may be built at the same time.
func (f *Folder) Build(ctx context.Context, p Program) (path string, err error) {
	built := filepath.Join(f.dir, p.Name, p.File)
	if err := os.MkdirAll(filepath.Dir(built), 0o755); err != nil {
		return "", fmt.Errorf("build %s: %w", p.Name, err)
	}
	if err := compile(ctx, p, built); err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	last := f.last[p.Name]
	if last != "" && same(last, built) {
		return last, nil
	}
	f.made++
	path = filepath.Join(f.run, p.Name, strconv.Itoa(f.made), p.File)
	if err := publish(built, path); err != nil {
		return "", fmt.Errorf("build %s: %w", p.Name, err)
	}
	f.last[p.Name] = path
	return path, nil
}

// Drop removes an executable that Build has returned, and that is run no more.
func (f *Folder) Drop(path string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, last := range f.last {
		if last == path { // it was built again, unchanged
			return
		}
	}
	if dir := filepath.Dir(path); strings.HasPrefix(dir, f.run+string(filepath.Separator)) {
		_ = os.RemoveAll(dir) // Close does too
	}
}

// same says whether go has left the file alone.
func same(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// publish gives the file a second name or, where there can be none, copies it.
func publish(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if os.Link(from, to) == nil {
		return nil
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o755) //nolint:gosec // it is a program
}

// The fastest build: without a C compiler, debug information, symbols and the state of
// the repository, and without inlining in the project's own packages, which takes an
// eighth of the time that passes after an edit. Less garbage collection costs memory for
// a moment.
var flags = []string{"build", "-buildvcs=false", "-gcflags=./...=-l", "-ldflags=-s -w"}

const environment = "CGO_ENABLED=0 GOGC=400"

func compile(ctx context.Context, p Program, out string) error {
	root := moduleRoot(p.Dir)
	pkg, err := filepath.Rel(root, p.Dir)
	if err != nil {
		return fmt.Errorf("build %s: %w", p.Name, err)
	}
	args := append(slices.Clip(flags), "-tags="+p.Tags, "-o", out, "./"+filepath.ToSlash(pkg))
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), strings.Fields(environment)...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err = cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("build %s: go is not on the PATH: %w", p.Name, err)
	}
	return &Error{Program: p.Name, Text: strings.TrimSpace(said.String() + "\n" + exit(err))}
}

// exit is an error of a command that says more than that it has failed.
func exit(err error) string {
	if e, ok := errors.AsType[*exec.ExitError](err); ok && e.Exited() {
		return ""
	}
	return err.Error()
}

// moduleRoot is the folder above dir that has the go.mod, or dir itself.
func moduleRoot(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}
