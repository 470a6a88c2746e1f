package lambda

import (
	"os/exec"
	"runtime"
)

// starter starts all processes from one thread that lives as long as the host:
// Linux sends the parent-death signal when the thread that has forked ends, not the
// process (prctl(2), PR_SET_PDEATHSIG).
type starter struct {
	requests chan start
}

type start struct {
	cmd  *exec.Cmd
	done chan error
}

func newStarter() *starter {
	s := &starter{requests: make(chan start)}
	go func() {
		runtime.LockOSThread()
		for r := range s.requests {
			r.done <- r.cmd.Start()
		}
	}()
	return s
}

func (s *starter) start(cmd *exec.Cmd) error {
	done := make(chan error, 1)
	s.requests <- start{cmd, done}
	return <-done
}

// close must come after the last start, and when no process runs any more.
func (s *starter) close() { close(s.requests) }
