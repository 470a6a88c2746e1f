package lambda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Options are what all functions of a host share.
type Options struct {
	// Path is PATH for the processes, the one variable that they get from this
	// machine: an interpreter needs it.
	Path string
	// Log takes the lines of all functions, or is nil. It is called by several
	// goroutines, and holds up the function that it is slow for.
	Log func(Line)
	// Freeze stops the processes between events (SIGSTOP), as Lambda does. Only where
	// CanFreeze.
	Freeze bool
	// IdleTimeout is how long a process waits for another event: 10 minutes by default.
	IdleTimeout time.Duration
	// InitTimeout limits the init phase: 10 s by default, as on Lambda.
	InitTimeout time.Duration
	// ShutdownTimeout is how long a process may take to end after SIGTERM, before it
	// is killed: 2 s by default, as on Lambda.
	ShutdownTimeout time.Duration
	// TempDir is where the environments get their temporary folders: the system's
	// by default.
	TempDir string
}

// Host runs the processes of any number of functions.
type Host struct {
	options Options
	tmp     string
	guard   *guard

	mu     sync.Mutex
	pools  []*Pool
	closed bool
}

// NewHost returns a host without functions. Close it, also to remove its files.
func NewHost(o Options) (*Host, error) {
	o.IdleTimeout = orDefault(o.IdleTimeout, 10*time.Minute)
	o.InitTimeout = orDefault(o.InitTimeout, 10*time.Second)
	o.ShutdownTimeout = orDefault(o.ShutdownTimeout, 2*time.Second)
	if o.Freeze && !CanFreeze {
		return nil, errors.New("this system cannot freeze processes")
	}
	tmp, err := os.MkdirTemp(o.TempDir, "tandem-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the functions' files: %w", err)
	}
	guard, err := newGuard(tmp)
	if err != nil {
		return nil, errors.Join(err, os.Remove(tmp))
	}
	return &Host{options: o, tmp: tmp, guard: guard}, nil
}

// NewPool returns a pool for the function. It starts no process yet. The host closes
// it, if nobody has before.
func (h *Host) NewPool(f Function) (*Pool, error) {
	f, err := f.complete()
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	p := newPool(h, f)
	h.pools = append(h.pools, p)
	return p, nil
}

// Close closes all pools (see Pool.Close) and ends all that the host has started.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	errs := make([]error, len(h.pools))
	var wg sync.WaitGroup
	for i, p := range h.pools {
		wg.Go(func() { errs[i] = p.Close(ctx) })
	}
	wg.Wait()
	h.guard.close()
	return errors.Join(errors.Join(errs...), os.RemoveAll(h.tmp))
}
