package lambda

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// gauge reads how much memory a process has, from /proc.
type gauge struct {
	pid    int
	status *os.File // stays open: each reading of it is fresh
}

func openGauge(pid int) *gauge {
	status, _ := os.Open(fmt.Sprintf("/proc/%d/status", pid)) // nil where the process has gone
	return &gauge{pid, status}
}

func (g *gauge) close() { _ = g.status.Close() }

// peak returns the most that the process itself has had at any time, in bytes, or 0
// if it has gone.
func (g *gauge) peak() int64 {
	var buf [4096]byte
	n, _ := g.status.ReadAt(buf[:], 0)
	return field(buf[:n], "VmHWM:")
}

// survey returns what the process and all its children have now, in bytes. What they
// share counts for each.
func (g *gauge) survey() int64 { return max(g.peak(), resident(g.pid)) }

func resident(pid int) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	sum := field(status, "VmRSS:")
	// Each thread lists the children that it has forked.
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		children, _ := os.ReadFile(list)
		for child := range bytes.FieldsSeq(children) {
			if pid, err := strconv.Atoi(string(child)); err == nil {
				sum += resident(pid)
			}
		}
	}
	return sum
}

// field finds a line such as "VmRSS:     1234 kB", and returns it in bytes.
func field(status []byte, name string) int64 {
	_, rest, _ := bytes.Cut(status, []byte("\n"+name))
	line, _, _ := bytes.Cut(rest, []byte(" kB"))
	kB, _ := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	return kB << 10
}
