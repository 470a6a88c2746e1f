package supervise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Down ends every program and supervisord itself, and returns when they are gone. What
// is down already stays so, without an error.
func (s Site) Down(ctx context.Context) error {
	pid, err := s.pid(ctx)
	if errors.Is(err, ErrDown) {
		fmt.Fprintln(s.Out, "Nothing is up.")
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := s.ctl(ctx, "shutdown"); err != nil {
		return err
	}
	ticker := time.NewTicker(between)
	defer ticker.Stop()
	// supervisord ends after its programs, which drain first.
	// Its last act is to remove the file with its process id.
	for s.alive(pid) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("supervisord (process %s) has not ended yet: %w", pid, ctx.Err())
		case <-ticker.C:
		}
	}
	fmt.Fprintln(s.Out, "Everything is down.")
	return nil
}

// alive tells whether supervisord still runs. Its pid alone would not tell: where
// nobody reaps an orphan, as in some containers, a pid outlives its process.
func (s Site) alive(pid string) bool {
	if _, err := os.Stat(s.pidfile()); errors.Is(err, fs.ErrNotExist) {
		return false
	}
	n, err := strconv.Atoi(pid)
	if err != nil {
		return false
	}
	process, err := os.FindProcess(n)
	return err == nil && process.Signal(syscall.Signal(0)) == nil
}
