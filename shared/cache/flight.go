package cache

import (
	"errors"
	"sync"
)

// errCutShort says that the handler of a flight panicked, which whoever led it has
// reported.
var errCutShort = errors.New("the handler panicked in another request")

// flight is the making of one answer, for which others wait.
type flight struct {
	done   chan struct{} // closed when it has ended; then the rest may be read
	once   sync.Once
	answer *answer // nil where it is not for others
	err    error
}

func (f *flight) end(a *answer, err error) {
	f.once.Do(func() {
		f.answer, f.err = a, err
		close(f.done)
	})
}

// flights are those of one route that are under way.
type flights struct {
	mu    sync.Mutex
	byKey map[string]*flight
}

// join returns the flight of that key, and whether the caller is to lead it: then it
// must call leave.
func (fs *flights) join(key string) (f *flight, lead bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f, ok := fs.byKey[key]; ok {
		return f, false
	}
	if fs.byKey == nil {
		fs.byKey = map[string]*flight{}
	}
	f = &flight{done: make(chan struct{})}
	fs.byKey[key] = f
	return f, true
}

// leave ends the flight, and with an error if nothing else has: its leader panics.
func (fs *flights) leave(key string, f *flight) {
	fs.mu.Lock()
	delete(fs.byKey, key)
	fs.mu.Unlock()
	f.end(nil, errCutShort)
}
