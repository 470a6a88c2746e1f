package lambda

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// report is what a REPORT line says of an event.
type report struct {
	requestID string
	duration  time.Duration
	init      time.Duration // 0 where the event found a process ready
	memoryMB  int           // what the function may use
	peak      int64         // what its process used at most, in bytes; 0 if unknown
	failure   *failure
}

// String writes the line in AWS's own form. The fields end with tabs.
func (r report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\t",
		r.requestID, milliseconds(r.duration), r.billed(), r.memoryMB)
	if r.peak > 0 {
		// A process over its limit is caught a moment late; Lambda's never are over.
		fmt.Fprintf(&b, "Max Memory Used: %d MB\t", min(mebibytes(r.peak), int64(r.memoryMB)))
	}
	if r.init > 0 {
		fmt.Fprintf(&b, "Init Duration: %.2f ms\t", milliseconds(r.init))
	}
	if r.failure != nil {
		b.WriteString(r.failure.status())
	}
	return b.String()
}

// billed is in whole milliseconds, and counts the init phase too (AWS does so for
// every runtime since August 2025).
func (r report) billed() int64 {
	return int64(math.Ceil(milliseconds(r.duration + r.init)))
}

// initReport is the line for an init phase that failed. The phase is "init", or
// "invoke" for the second attempt, which counts as a part of the event.
func initReport(d time.Duration, phase string, f *failure) string {
	return fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: %s\t%s", milliseconds(d), phase, f.status())
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func mebibytes(n int64) int64 { return (n + 1<<20 - 1) >> 20 }
