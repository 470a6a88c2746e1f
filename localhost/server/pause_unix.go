//go:build unix

package server

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// pauseSignals yields true at a SIGTSTP (^Z, kill -TSTP) and false at a SIGCONT
// (kill -CONT).
func pauseSignals(ctx context.Context) <-chan bool {
	signals, pause := make(chan os.Signal, 1), make(chan bool)
	signal.Notify(signals, syscall.SIGTSTP, syscall.SIGCONT)
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case s := <-signals:
				select {
				case pause <- s == syscall.SIGTSTP:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return pause
}
