package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
)

// answer is the ResponseWriter that a function gets. The gateway sends an answer when
// it has the whole of it, so the body is kept, and a time-out can still answer in its
// place. What is written after the answer has been given is dropped. For the rest it
// does as net/http does.
type answer struct {
	w     http.ResponseWriter // the client's
	pool  *buffers
	cors  *cors // whose headers replace the function's; nil: none
	multi bool  // the payload format has a place for each value of a header: 1.0

	mu       sync.Mutex
	header   http.Header // the function's own, nil until asked for
	status   int         // 0: no head yet
	body     *bytes.Buffer
	size     int  // of the body, also where it is too large to be kept
	declared int  // the function's Content-Length; -1: none
	given    bool // the client has its answer
	length   [1]string
	encoding *bool // the function has put it in base64; nil: it does not say
}

// Header returns the headers that WriteHeader will take.
func (a *answer) Header() http.Header {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.header == nil {
		a.header = make(http.Header)
	}
	return a.header
}

// WriteHeader takes the status, and the headers as they are now. The first call
// counts, and an impossible status panics.
func (a *answer) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %v", status)) // net/http's words
	}
	if status < 200 && status != http.StatusSwitchingProtocols {
		return // an interim answer, which has no place in an event
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.head(status)
}

func (a *answer) head(status int) {
	if a.status != 0 || a.given {
		return
	}
	a.status, a.declared = status, -1
	to := a.w.Header()
	for name, values := range a.header {
		name = textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case len(values) == 0 && name != "Content-Type": // which nil keeps from being guessed
		case hopByHop(name), strings.HasPrefix(name, http.TrailerPrefix), a.cors != nil && ofCORS(name):
		case name == "Content-Length":
			if n, err := strconv.Atoi(values[0]); err == nil && n >= 0 {
				a.declared = n
			}
		case len(values) > 1 && name != "Set-Cookie" && !a.multi:
			to[name] = []string{joined(values)} // a header of an answer has one value
		default:
			to[name] = values
		}
	}
}

func joined(values []string) string {
	clean := make([]string, len(values))
	for i, v := range values {
		clean[i] = textproto.TrimString(v)
	}
	return strings.Join(clean, ",")
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

// ReadFrom is there because net/http's own writer has it.
func (a *answer) ReadFrom(from io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{a}, from)
}

// Flush takes the head, and the content type of what is there; all of it waits for the
// end.
func (a *answer) Flush() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.head(http.StatusOK)
	if !a.given {
		a.sniff()
	}
}

// sniff sets the content type of what has been written, where there is none.
func (a *answer) sniff() {
	to := a.w.Header()
	if _, there := to["Content-Type"]; !there && a.body != nil && to["Content-Encoding"] == nil {
		to["Content-Type"] = []string{http.DetectContentType(a.body.Bytes())}
	}
}

// grow makes room for n more bytes. What goes beyond any answer's limit is counted
// and not kept.
func (a *answer) grow(n int) error {
	if a.given {
		return nil // to nobody, as on Lambda
	}
	a.head(http.StatusOK)
	if n == 0 {
		return nil
	}
	if !bodied(a.status) {
		return http.ErrBodyNotAllowed
	}
	if a.declared >= 0 && a.size+n > a.declared {
		a.size = a.declared + 1 // it stays wrong
		return http.ErrContentLength
	}
	a.size += n
	switch {
	case a.size > MaxPayload:
		a.release()
	case a.body == nil:
		a.body = a.pool.get()
	}
	return nil
}

// bodied says whether an answer of that status has a body (RFC 9110, section 6.4.1).
func bodied(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// counted is a length that net/http's server finds out by itself, for less than it
// takes to tell it: it keeps the first 2,048 bytes of an answer back.
const counted = 1024

// send gives the client what the function has written.
func (a *answer) send(method string) {
	a.given = true
	switch {
	case !bodied(a.status):
	case method != http.MethodHead:
		if a.size > counted {
			a.setLength(a.size)
		}
	case a.declared >= 0:
		a.setLength(a.declared)
	case a.size > 0:
		a.setLength(a.size)
	}
	a.w.WriteHeader(a.status)
	if a.body != nil {
		_, _ = a.w.Write(a.body.Bytes()) // it fails for HEAD, and when the client has gone
		a.release()
	}
}

func (a *answer) setLength(n int) {
	a.length[0] = strconv.Itoa(n)
	a.w.Header()["Content-Length"] = a.length[:]
}

func (a *answer) release() {
	if a.body != nil {
		a.pool.put(a.body)
		a.body = nil
	}
}
