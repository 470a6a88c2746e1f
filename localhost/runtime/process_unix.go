//go:build unix

package lambda

import "syscall"

// The signals that a process and all that it starts are steered by.
const (
	kill      = syscall.SIGKILL
	terminate = syscall.SIGTERM
	freeze    = syscall.SIGSTOP
	resume    = syscall.SIGCONT
)

// CanFreeze says whether this system can stop a process between events.
const CanFreeze = true

// ownGroup keeps the terminal's signals from the process.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// signal reaches the whole group: on Lambda nothing that a function has started
// outlives a reset either.
func (p *process) signal(s syscall.Signal) {
	if p.alive() {
		_ = syscall.Kill(-p.cmd.Process.Pid, s) // it fails only where nobody is left
	}
}
