package lambda

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"time"
)

// environment is what Lambda calls an execution environment: one process at a time,
// a temporary folder that outlives it, and a log stream. One goroutine at a time
// owns it: the pool's caller, or the pool's list of idle ones.
type environment struct {
	host       *Host
	function   Function
	tmp        string
	log        *logStream
	aborted    <-chan struct{} // closed: end at once
	process    *process        // nil before the first, and after a reset
	used       bool            // there has been a process
	idleSince  time.Time
	generation int // of its pool
}

func newEnvironment(h *Host, f Function, aborted <-chan struct{}) (*environment, error) {
	tmp, err := os.MkdirTemp(h.tmp, f.Name+"-")
	if err != nil {
		return nil, fmt.Errorf("function %s: %w", f.Name, err)
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails
	stream := time.Now().UTC().Format("2006/01/02") + "/[" + Version + "]" + hex.EncodeToString(id[:])
	log, err := newLogStream(f.Name, stream, h.options.Log)
	if err != nil {
		_ = os.RemoveAll(tmp)
		return nil, fmt.Errorf("function %s: %w", f.Name, err)
	}
	return &environment{host: h, function: f, tmp: tmp, log: log, aborted: aborted}, nil
}

// warm reports whether a process waits for an event.
func (e *environment) warm() bool { return e.process != nil && e.process.alive() }

// run takes one event through, from the start of a process where there is none to
// the moment when the process is ready for the next event.
func (e *environment) run(c *call) {
	r := report{requestID: c.inv.RequestID, memoryMB: e.function.MemoryMB}
	if !e.warm() {
		e.log.put(mark{begin: c.inv.RequestID}) // what a start prints is the event's, too
		e.process = nil
		r.init = e.firstStart()
	}
	began := time.Now()
	c.deadline = began.Add(e.function.Timeout)
	timeout := time.NewTimer(e.function.Timeout)
	defer timeout.Stop()

	if e.process == nil { // after a reset the start is a part of the event, and its time
		r.failure = e.start(timeout.C, e.function.Timeout, "invoke")
	}
	e.log.put(mark{begin: c.inv.RequestID, lines: []string{"START RequestId: " + c.inv.RequestID + " Version: " + Version}})
	if r.failure == nil {
		r.failure = e.handle(c, timeout.C)
	} else {
		c.fail(r.failure)
	}
	r.duration = min(time.Since(began), e.function.Timeout) // the end of a killed process is not billed
	if e.process != nil {
		r.peak = e.process.most.Load()
	}
	e.finish(c, r)
}

// handle lets the process work on the event.
func (e *environment) handle(c *call, timeout <-chan time.Time) *failure {
	if e.host.options.Freeze {
		e.process.signal(resume)
	}
	e.process.api.deliver(c)
	f := e.process.untilReady(timeout, e.function.Timeout, e.aborted)
	if f != nil {
		c.fail(f) // before the kill: it is the reason for what follows
		e.process.kill()
	} else if e.host.options.Freeze {
		e.process.signal(freeze)
	}
	return f
}

// finish writes the event's last lines.
func (e *environment) finish(c *call, r report) {
	var lines []string
	if r.failure != nil {
		lines = r.failure.lines(r.requestID, time.Now())
		e.process = nil
	}
	lines = append(lines, "END RequestId: "+r.requestID, r.String())
	e.log.put(mark{lines: lines, tail: c.tail, end: true})
}

// firstStart is the init phase: the first start of a process, before the event and
// in a time of its own. Where it fails, Lambda starts once more, within the event.
func (e *environment) firstStart() time.Duration {
	if e.used {
		return 0
	}
	e.used = true
	limit := e.host.options.InitTimeout
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	began := time.Now()
	if e.start(timeout.C, limit, "init") != nil {
		return 0
	}
	return time.Since(began)
}

// start starts a process and waits until it asks for its first event.
func (e *environment) start(timeout <-chan time.Time, limit time.Duration, phase string) *failure {
	began := time.Now()
	p, f := launch(e.host, e.function, e.log, e.tmp)
	if f == nil {
		if f = p.untilReady(timeout, limit, e.aborted); f != nil {
			p.kill()
		}
	}
	if f != nil {
		e.log.put(mark{lines: []string{initReport(time.Since(began), phase, f)}})
		return f
	}
	e.process = p
	p.note(p.gauge.peak()) // a short event may crash before anyone looks
	return nil
}

// close stops the process and removes the temporary folder.
func (e *environment) close() {
	if e.process != nil {
		e.process.stop(e.host.options.ShutdownTimeout)
	}
	e.log.Close()
	_ = os.RemoveAll(e.tmp) // a temporary folder: the system sweeps it too
}
