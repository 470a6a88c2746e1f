package build

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// running is what the folders are called that a process runs its programs from,
// before its id.
const running = "run-"

// sweep removes the folders of processes that were killed.
func sweep(dir string) {
	folders, _ := filepath.Glob(filepath.Join(dir, running+"*")) // the pattern is right
	for _, folder := range folders {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(folder), running))
		if err == nil && !alive(pid) {
			_ = os.RemoveAll(folder) // it is in nobody's way
		}
	}
}

// alive says whether there is a process, as far as that can be known.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false // on Windows
	}
	defer func() { _ = p.Release() }()
	err = p.Signal(syscall.Signal(0))
	return err == nil || os.IsPermission(err)
}
