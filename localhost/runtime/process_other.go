//go:build !unix

package lambda

import "syscall"

// The signals that a process is steered by. Here there is but one.
const (
	kill      = syscall.SIGKILL
	terminate = syscall.SIGTERM
	freeze    = syscall.Signal(-1)
	resume    = syscall.Signal(-2)
)

// CanFreeze says whether this system can stop a process between events.
const CanFreeze = false

func ownGroup() *syscall.SysProcAttr { return nil }

func (p *process) signal(s syscall.Signal) {
	if s == kill || s == terminate {
		_ = p.cmd.Process.Kill() // it fails only where nobody is left
	}
}
