//go:build unix && !linux

package lambda

import "syscall"

// ownGroup keeps the terminal's signals from the process. Nothing ends it if we are
// killed ourselves, but its next call of the Runtime API fails then.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
