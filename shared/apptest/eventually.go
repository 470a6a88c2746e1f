package apptest

import (
	"testing"
	"time"
)

// Eventually waits until ok is true, and fails the test if that takes too long. The
// name says what is waited for: "the job is done".
func Eventually(t testing.TB, name string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("waited %s, and not yet: %s", timeout, name)
		}
	}
}
