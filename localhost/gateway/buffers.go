package gateway

import (
	"bytes"
	"sync"
)

// buffers are used again, but for those that a large body has blown up.
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
