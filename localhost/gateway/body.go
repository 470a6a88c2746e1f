package gateway

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// payload is a request's body. The gateway has read the whole of it before it calls
// the function: the limits hold whatever the function reads, its time does not run
// while a slow client sends, and a chunked body has a length.
type payload struct {
	pool *buffers

	mu     sync.Mutex    // a function may read on after its end
	buffer *bytes.Buffer // nil: there is none, or none any more
	reader bytes.Reader
	closed bool
}

func (p *payload) Len() int {
	if p.buffer == nil {
		return 0
	}
	return p.buffer.Len()
}

func (p *payload) bytes() []byte {
	if p.buffer == nil {
		return nil
	}
	return p.buffer.Bytes()
}

// Read reads from the body.
func (p *payload) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	return p.reader.Read(b)
}

// WriteTo writes the rest of the body.
func (p *payload) WriteTo(w io.Writer) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	return p.reader.WriteTo(w)
}

// Close ends the reading.
func (p *payload) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return nil
}

// read takes the request's body, and replaces it by what has been read.
func (c *call) read(r *http.Request) (refusal, bool) {
	if r.Body == nil || r.Body == http.NoBody {
		return refusal{}, true
	}
	if r.ContentLength > maxBody {
		drain(r)
		return bodyTooLarge, false
	}
	c.payload.pool = &c.gateway.buffers
	c.payload.buffer = c.payload.pool.get()
	if r.ContentLength > 0 {
		c.payload.buffer.Grow(int(r.ContentLength) + bytes.MinRead) // ReadFrom wants that much to see the end
	}
	n, err := c.payload.buffer.ReadFrom(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		c.payload.release()
		return badRequest, false // cut off, or chunks that are none
	case n > maxBody:
		c.payload.release()
		drain(r)
		return bodyTooLarge, false
	}
	c.payload.reader.Reset(c.payload.buffer.Bytes())
	r.Body, r.ContentLength, r.TransferEncoding, r.Trailer = &c.payload, n, nil, nil
	if n == 0 {
		r.Body = http.NoBody
	}
	return refusal{}, true
}

// drain reads on for a while, so that a client which sends all before it reads finds
// the answer, and not a broken connection. One that waits for leave to send
// (Expect: 100-continue) gets its answer at once.
func drain(r *http.Request) {
	if r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, r.Body, maxBody)
	}
}

func (p *payload) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.buffer != nil {
		p.pool.put(p.buffer)
		p.buffer = nil
	}
}
