//go:build unix

package lambda

import (
	"fmt"
	"io"
	"os/exec"
	"sync"
	"syscall"
)

// guard kills the processes and removes their files if we are killed ourselves and
// cannot: a shell that is told of each process group, and that reads the end of its
// input when we are gone.
// Linux could end a child with its parent (prctl(2), PR_SET_PDEATHSIG), but neither
// what the child has started, nor on other systems.
type guard struct {
	mu    sync.Mutex
	shell *exec.Cmd
	tell  io.WriteCloser
}

const guarding = `
while read -r what group; do
	others=
	for g in $groups; do [ "$g" = "$group" ] || others="$others $g"; done
	groups=$others
	[ "$what" = ended ] || groups="$groups $group"
done
for g in $groups; do kill -s KILL -- "-$g"; done
rm -rf -- "$1"
`

func newGuard(tmp string) (*guard, error) {
	shell := exec.Command("/bin/sh", "-c", guarding, "guard", tmp) //nolint:noctx // it outlives everything here
	shell.Dir, shell.Env = "/", []string{}
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // the terminal's signals are not for it
	tell, err := shell.StdinPipe()
	if err == nil {
		err = shell.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start a guard for the functions' processes: %w", err)
	}
	return &guard{shell: shell, tell: tell}, nil
}

func (g *guard) started(group int) { g.say("started", group) }
func (g *guard) ended(group int)   { g.say("ended", group) }

func (g *guard) say(what string, group int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _ = fmt.Fprintln(g.tell, what, group) // without the guard we go on
}

// close must come when no process runs any more.
func (g *guard) close() {
	_ = g.tell.Close()
	_ = g.shell.Wait()
}
