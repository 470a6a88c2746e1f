package console

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// wrongPasswords an address may send within wrongWindow; then it waits for the
	// window's end, even with the right one.
	wrongPasswords = 10
	wrongWindow    = time.Minute
	// throttled is how many addresses are remembered at once.
	throttled = 4096
)

// throttle slows down guessing: it counts the wrong passwords of each address.
type throttle struct {
	mu    sync.Mutex
	wrong map[netip.Prefix]wrong
}

type wrong struct {
	count int
	until time.Time
}

func newThrottle() *throttle { return &throttle{wrong: map[netip.Prefix]wrong{}} }

// attempt counts an attempt to log in, and returns how long the address has to wait
// before another is looked at, or 0 where this one may be answered.
func (t *throttle) attempt(from netip.Addr, right bool) time.Duration {
	key := network(from)
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	w, known := t.wrong[key]
	if known && !now.Before(w.until) {
		delete(t.wrong, key)
		w, known = wrong{}, false
	}
	switch {
	case w.count >= wrongPasswords:
		return w.until.Sub(now)
	case right:
		delete(t.wrong, key)
		return 0
	case !known:
		t.makeRoom(now)
		w.until = now.Add(wrongWindow)
	}
	w.count++
	t.wrong[key] = w
	return 0
}

// makeRoom forgets what is over and, where that is not enough, the oldest entry.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.wrong) < throttled {
		return
	}
	var oldest netip.Prefix
	var first time.Time
	for key, w := range t.wrong {
		if !now.Before(w.until) {
			delete(t.wrong, key)
		} else if first.IsZero() || w.until.Before(first) {
			oldest, first = key, w.until
		}
	}
	if len(t.wrong) >= throttled {
		delete(t.wrong, oldest)
	}
}

// network returns what stands for one caller: the address, or the /64 that one IPv6
// host usually has to itself.
func network(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the zero Addr gives the zero Prefix
	return p
}
