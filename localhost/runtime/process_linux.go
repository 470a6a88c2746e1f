package lambda

import "syscall"

// ownGroup keeps the terminal's signals from the process, and ends it with us, even
// if we are killed: see starter.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
