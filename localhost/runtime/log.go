package lambda

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// Line is one line of a function's log: what the function printed, or what Lambda
// says of it (START, END, REPORT, …).
type Line struct {
	Function  string
	Stream    string // the log stream: one for each environment
	RequestID string // the event that was in hand, or ""
	Text      string // without its line break
}

// LogTo returns a sink of lines that writes them to w, each behind its function's
// name. Environments may share it.
func LogTo(w io.Writer) func(Line) {
	var mu sync.Mutex
	var buf bytes.Buffer
	return func(l Line) {
		mu.Lock()
		defer mu.Unlock()
		buf.Reset()
		fmt.Fprintf(&buf, "%-8s | %s\n", l.Function, l.Text)
		_, _ = w.Write(buf.Bytes()) // there is nowhere to say that the log is broken
	}
}
