package lambda

import (
	"os/exec"
	"sync/atomic"
	"time"
)

const (
	// surveyEvery is how often a process at work is held against its memory limit.
	surveyEvery = 100 * time.Millisecond
	// fillRate is faster than any machine lets a process fill new memory, in bytes a
	// nanosecond.
	fillRate = 64
)

// process is one run of a function's bootstrap, with a Runtime API of its own.
type process struct {
	api    *runtimeAPI
	cmd    *exec.Cmd
	gauge  *gauge
	limit  int64        // of memory, in bytes
	most   atomic.Int64 // the most memory seen, in bytes
	looked atomic.Int64 // when, in nanoseconds since born
	born   time.Time
	exited chan struct{} // closed when the process and its Runtime API are gone
}

// launch starts the bootstrap. A failure is in Lambda's words.
func launch(h *Host, f Function, log *logStream, tmp string) (*process, *failure) {
	p := &process{limit: int64(f.MemoryMB) << 20, born: time.Now(), exited: make(chan struct{})}
	api, err := newRuntimeAPI(f, p.overLimit)
	if err != nil {
		return nil, &failure{errorType: ErrorTypeUnknown, message: err.Error()}
	}
	// No context: it would end the process alone, and not what the process has started.
	cmd := exec.Command(f.Command[0], f.Command[1:]...) //nolint:noctx // see above
	cmd.Dir = f.TaskRoot
	cmd.Env = f.environ(h.options.Path, api.address, log.name, tmp)
	// One pipe for both, so that their lines keep their order.
	cmd.Stdout, cmd.Stderr = log.write, log.write
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		api.close(nil)
		return nil, &failure{errorType: ErrorTypeEntrypoint, message: err.Error()}
	}
	p.api, p.cmd, p.gauge = api, cmd, openGauge(cmd.Process.Pid)
	h.guard.started(cmd.Process.Pid)
	api.serve()
	go p.wait(h.guard)
	return p, nil
}

// wait sees the process off.
func (p *process) wait(g *guard) {
	_ = p.cmd.Wait() // how it ended is in ProcessState
	p.signal(kill)   // what it has started and left behind
	g.ended(p.cmd.Process.Pid)
	p.api.close(exited(p.cmd.ProcessState))
	p.gauge.close()
	close(p.exited)
}

// alive reports whether the process runs, as far as we know.
func (p *process) alive() bool {
	select {
	case <-p.api.gone:
		return false
	default:
		return true
	}
}

// untilReady waits until the process asks for its next event. Any other end is a
// failure; the process may still run then.
func (p *process) untilReady(timeout <-chan time.Time, after time.Duration, aborted <-chan struct{}) *failure {
	survey := time.NewTicker(surveyEvery)
	defer survey.Stop()
	for {
		select {
		case <-p.api.asked:
			return nil
		case f := <-p.api.initFailed:
			return f
		case <-p.exited:
			return p.api.ended
		case <-timeout:
			return timedOut(after)
		case <-aborted:
			return &failure{errorType: ErrorTypeExit, message: "the host has stopped the process"}
		case <-p.api.over:
			return outOfMemory()
		case <-survey.C:
			if p.note(p.gauge.survey()) > p.limit {
				return outOfMemory()
			}
		}
	}
}

// overLimit reports whether the process has ever had more memory than it may. To look
// costs as much as the rest of a short event, so it looks only when there has been the
// time to fill what was left.
func (p *process) overLimit() bool {
	left := p.limit - p.most.Load()
	if int64(time.Since(p.born))-p.looked.Load() < left/fillRate {
		return false
	}
	return p.note(p.gauge.peak()) > p.limit
}

// note remembers the most memory seen, and returns it.
func (p *process) note(bytes int64) int64 {
	p.looked.Store(int64(time.Since(p.born)))
	for {
		most := p.most.Load()
		if bytes <= most {
			return most
		}
		if p.most.CompareAndSwap(most, bytes) {
			return bytes
		}
	}
}

// kill ends the process and all that it has started, and waits for that.
func (p *process) kill() {
	p.signal(kill)
	<-p.exited
}

// stop asks the process to end, and kills it after the grace.
func (p *process) stop(grace time.Duration) {
	p.signal(terminate)
	p.signal(resume) // where it is frozen
	select {
	case <-p.exited:
	case <-time.After(grace):
		p.kill()
	}
}
