//go:build unix

package reload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tandem-api/tandem/localhost/build"
	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/fault"
	"github.com/tandem-api/tandem/localhost/watch"
)

// reloader replaces the server.
type reloader struct {
	Options
	socket  *os.File
	folder  *build.Folder
	program string // the folder of this program's main package; "" with -isolate

	first   sync.Once
	child   *child
	fault   *http.Server // answers while there is no child
	leaving sync.WaitGroup
}

// Run serves until the context ends, and then waits for the server's end. The listener
// is its own from here on.
func Run(ctx context.Context, o Options, listener net.Listener) error {
	r := &reloader{Options: o}
	var err error
	if r.socket, err = share(listener); err != nil {
		return fmt.Errorf("share the socket: %w", err)
	}
	defer r.socket.Close()
	if r.program, err = ownSource(ctx, o); err != nil {
		return cli.UsageError{Err: err}
	}
	if r.folder, err = build.Open(build.Dir); err != nil {
		return err
	}
	defer func() { _ = r.folder.Close() }()
	tree, err := watch.New(o.Template.Dir())
	if err != nil {
		return err
	}
	defer tree.Close()
	r.run(ctx, tree)
	return nil
}

// share closes a listener, and returns its socket as a file that processes can be started
// with. The listener's own File is not it: package os makes the socket block when a
// process is started with that one, for all processes that have it, and those that wait
// for a connection then could not close it any more.
func share(listener net.Listener) (*os.File, error) {
	defer listener.Close()
	conn, err := listener.(*net.TCPListener).SyscallConn()
	if err != nil {
		return nil, err
	}
	syscall.ForkLock.RLock() // no process shall be started in between, and inherit it
	defer syscall.ForkLock.RUnlock()
	var fd int
	var failed error
	if err := conn.Control(func(own uintptr) { fd, failed = syscall.Dup(int(own)) }); err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, os.NewSyscallError("dup", failed)
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "listener"), nil
}

// ownSource is the folder of the package that this program is built from. With
// -isolate the functions are other programs, and this one stays.
func ownSource(ctx context.Context, o Options) (string, error) {
	if o.Isolate {
		return "", nil
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", errors.New("serve: -watch: this program does not say what it is built from")
	}
	cmd := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", info.Path)
	cmd.Dir = o.Template.Dir()
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("serve: -watch: the source of %s is not found from %s: %w", info.Path, o.Template.Dir(), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// run serves and watches until the context ends, then waits for the server's end.
func (r *reloader) run(ctx context.Context, tree *watch.Tree) {
	mains := []string{}
	if r.program != "" {
		mains = append(mains, r.program)
	}
	r.renew(ctx, time.Time{})
	for ctx.Err() == nil {
		graph, err := watch.Read(ctx, r.Template.Dir(), mains)
		if err != nil && ctx.Err() == nil {
			cli.PrintError(r.Host.Stderr, err)
		}
		files, err := r.next(ctx, tree)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			cli.PrintError(r.Host.Stderr, err)
			continue
		}
		// Where nothing is served, any edit may be the one that mends it.
		if r.child == nil || r.settings(files) || (r.program != "" && (graph == nil || graph.Touched(r.program, files))) {
			r.renew(ctx, time.Now())
		}
	}
	r.retire()
	r.leaving.Wait()
}

// errEnded says that the server has ended by itself.
var errEnded = errors.New("the server has ended")

// next waits for edits. Where the server ends first, what it said is the answer to every
// request until the next edit.
func (r *reloader) next(ctx context.Context, tree *watch.Tree) ([]string, error) {
	served := r.child
	if served == nil {
		return tree.Next(ctx)
	}
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-served.ended:
			cancel(errEnded)
		case <-within.Done():
		}
	}()
	files, err := tree.Next(within)
	if errors.Is(err, errEnded) {
		r.child = nil
		_ = served.alive.Close()
		err = fmt.Errorf("%w (%s):\n%s", errEnded, served.cmd.ProcessState, strings.TrimSpace(served.said.String()))
		r.answer(err.Error())
	}
	return files, err
}

// settings says whether the server reads one of the files when it starts.
func (r *reloader) settings(files []string) bool {
	path, err := filepath.Abs(r.Template.Path)
	if err != nil {
		path = r.Template.Path
	}
	return slices.ContainsFunc(files, func(file string) bool {
		name := filepath.Base(file)
		return file == path || name == ".env" || name == "samconfig.toml"
	})
}

// renew builds the server and starts it, beside the old one, which is then told to
// drain. What keeps it from that is the answer to every request until it is mended.
func (r *reloader) renew(ctx context.Context, began time.Time) {
	path, err := os.Executable()
	if r.program != "" {
		path, err = r.folder.Build(ctx, build.Program{Name: "localhost", Dir: r.program, File: "localhost"})
	}
	var fresh *child
	if err == nil {
		fresh, err = r.start(path)
	}
	if ctx.Err() != nil {
		if fresh != nil {
			r.leave(fresh)
		}
		return
	}
	if err != nil {
		cli.PrintError(r.Host.Stderr, err)
		r.retire()
		r.answer(err.Error())
		return
	}
	r.retire()
	r.child = fresh
	if !began.IsZero() {
		fmt.Fprintf(r.Host.Stderr, "localhost: served anew, %d ms after the edit\n", time.Since(began).Milliseconds())
	}
}

// retire ends what answers now.
func (r *reloader) retire() {
	if r.child != nil {
		r.leave(r.child)
		r.child = nil
	}
	if s := r.fault; s != nil {
		r.fault = nil
		r.leaving.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), cli.Closing)
			defer cancel()
			_ = s.Shutdown(ctx) // nobody waits for this answer for long
		})
	}
}

// answer answers every request with the text.
func (r *reloader) answer(text string) {
	listener, err := net.FileListener(r.socket)
	if err != nil {
		cli.PrintError(r.Host.Stderr, err)
		return
	}
	s := &http.Server{ReadHeaderTimeout: cli.Closing, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		fault.Answer(w, q, text)
	})}
	r.fault = s
	go func() { _ = s.Serve(listener) }() // until Shutdown
}

// child is a server in a process of its own.
type child struct {
	cmd   *exec.Cmd
	alive *os.File      // what ends when we do
	ended chan struct{} // closed when it has
	said  *recent
}

// start starts the program, and returns when it serves. The error is what it said
// where it ended instead.
func (r *reloader) start(path string) (*child, error) {
	ready, readyEnd, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer ready.Close()
	aliveEnd, alive, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	i := Inherited{Redis: r.Redis, Silent: true}
	r.first.Do(func() { i.Silent = false })
	text, _ := json.Marshal(i)                                                                                                               // a text and a truth value: it cannot fail
	c := &child{cmd: exec.Command(path, append([]string{"serve"}, r.Args...)...), alive: alive, ended: make(chan struct{}), said: &recent{}} //nolint:noctx // it is asked to drain, not killed
	c.cmd.Env = append(os.Environ(), inheritance+"="+string(text))
	c.cmd.Stdout, c.cmd.Stderr = r.Host.Stdout, io.MultiWriter(r.Host.Stderr, c.said)
	c.cmd.ExtraFiles = []*os.File{r.socket, readyEnd, aliveEnd} // see inherit.go
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}     // ^C reaches us, and we pass it on
	err = c.cmd.Start()
	_, _ = readyEnd.Close(), aliveEnd.Close()
	if err != nil {
		_ = alive.Close()
		return nil, err
	}
	go func() {
		_ = c.cmd.Wait() // how it ended is in ProcessState
		close(c.ended)
	}()
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		<-c.ended
		_ = alive.Close()
		return nil, fmt.Errorf("the server does not start (%s):\n%s", c.cmd.ProcessState, strings.TrimSpace(c.said.String()))
	}
	return c, nil
}

// leave tells a child to drain, and does not wait for it.
func (r *reloader) leave(c *child) {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it fails where it has ended already
	r.leaving.Go(func() {
		<-c.ended
		_ = c.alive.Close()
	})
}

// recent keeps the last of what a program has said.
type recent struct {
	mu   sync.Mutex
	text []byte
}

func (s *recent) Write(p []byte) (int, error) {
	const enough = 8 << 10
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, p...)
	if len(s.text) > 2*enough {
		s.text = append(s.text[:0], s.text[len(s.text)-enough:]...)
	}
	return len(p), nil
}

func (s *recent) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}
