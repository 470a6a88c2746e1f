package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
)

// answer is the ResponseWriter that a function gets. The gateway sends an answer when
// it has the whole of it, so the body is kept, and a time-out can still answer in its
// place. What is written after the answer has been given is dropped.
type answer struct {
	w    http.ResponseWriter // the client's
	pool *buffers
	cors *cors // whose headers replace the function's; nil: none

	mu       sync.Mutex
	header   http.Header // the function's own, nil until asked for
	status   int         // 0: no head yet
	body     *bytes.Buffer
	size     int    // of the body, also where it is too large to be kept
	declared string // the function's Content-Length
	given    bool   // the client has its answer
}

var errGiven = errors.New("the gateway has answered already")

// Header returns the headers that WriteHeader will take.
func (a *answer) Header() http.Header {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.header == nil {
		a.header = make(http.Header)
	}
	return a.header
}

// WriteHeader takes the status, and the headers as they are now. As in net/http, the
// first call counts, and an impossible status panics.
func (a *answer) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %v", status))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if status >= 200 { // an interim answer has no place in an event
		a.head(status)
	}
}

func (a *answer) head(status int) {
	if a.status != 0 || a.given {
		return
	}
	a.status = status
	to := a.w.Header()
	for name, values := range a.header {
		name = textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case len(values) == 0, hopByHop(name), strings.HasPrefix(name, http.TrailerPrefix), a.cors != nil && ofCORS(name):
		case name == "Content-Length":
			a.declared = values[0]
		case len(values) > 1 && name != "Set-Cookie":
			to[name] = []string{strings.Join(values, ",")} // a header of an answer has one value
		default:
			to[name] = values
		}
	}
}

// Write keeps a part of the body.
func (a *answer) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.grow(len(p)); err != nil {
		return 0, err
	}
	if a.body != nil {
		a.body.Write(p)
	}
	return len(p), nil
}

// WriteString is Write without a copy.
func (a *answer) WriteString(p string) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.grow(len(p)); err != nil {
		return 0, err
	}
	if a.body != nil {
		a.body.WriteString(p)
	}
	return len(p), nil
}

// Flush takes the head; the rest waits for the end, as behind the real gateway.
func (a *answer) Flush() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.head(http.StatusOK)
}

// grow makes room for n more bytes. What goes beyond any answer's limit is counted
// and not kept.
func (a *answer) grow(n int) error {
	if a.given {
		return errGiven
	}
	a.head(http.StatusOK)
	if n > 0 && bodiless(a.status) {
		return http.ErrBodyNotAllowed
	}
	a.size += n
	switch {
	case a.size > maxAnswer:
		a.release()
	case a.body == nil && n > 0:
		a.body = a.pool.get()
	}
	return nil
}

func bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

// send gives the client what the function has written.
func (a *answer) send(method string) {
	a.given = true
	to := a.w.Header()
	switch {
	case method == http.MethodHead && a.size == 0 && a.declared != "":
		to["Content-Length"] = []string{a.declared} // of what GET would have
	case !bodiless(a.status):
		to["Content-Length"] = []string{strconv.Itoa(a.size)}
	}
	a.w.WriteHeader(a.status)
	if a.body != nil {
		_, _ = a.w.Write(a.body.Bytes()) // it fails only when the client has gone
		a.release()
	}
}

func (a *answer) release() {
	if a.body != nil {
		a.pool.put(a.body)
		a.body = nil
	}
}

// buffers are reused, but for those that a large body has blown up.
type buffers struct{ pool sync.Pool }

const keptBuffer = 64 << 10

func (b *buffers) get() *bytes.Buffer {
	if buffer, ok := b.pool.Get().(*bytes.Buffer); ok {
		return buffer
	}
	return new(bytes.Buffer)
}

func (b *buffers) put(buffer *bytes.Buffer) {
	if buffer.Cap() <= keptBuffer {
		buffer.Reset()
		b.pool.Put(buffer)
	}
}
