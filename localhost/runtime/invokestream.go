package lambda

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
)

// StreamPath is the other path under which an InvokeAPI answers.
const StreamPath = "/2021-11-15/functions/"

// serveStream answers POST /2021-11-15/functions/{name}/response-streaming-invocations
// (AWS docs "API_InvokeWithResponseStream"): the answer comes in events, as the
// function writes it. A function that does not stream has one event.
func (a *InvokeAPI) serveStream(w http.ResponseWriter, r *http.Request, q request) error {
	q.inv.Stream = true
	result, err := q.target.Invoke(r.Context(), q.inv)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/vnd.amazon.eventstream")
	h.Set("X-Amz-Executed-Version", Version)
	out := &eventWriter{w: &flushing{w, http.NewResponseController(w)}}
	failure := result.Err()
	switch {
	case failure != nil:
	case result.Stream == nil:
		_, _ = out.Write(result.Payload)
	default:
		defer func() { _ = result.Stream.Close() }() // the function goes on, if the client leaves
		_, failure = io.Copy(out, result.Stream)
	}
	out.complete(failure)
	return nil
}

// completion is the payload of the last event.
type completion struct {
	ErrorCode    string `json:",omitempty"`
	ErrorDetails string `json:",omitempty"`
}

// eventWriter writes messages of AWS's event stream encoding ("vnd.amazon.eventstream").
type eventWriter struct {
	w   io.Writer
	err error // the client has gone: nothing more is written
}

// Write writes p as one event, a part of the answer.
func (e *eventWriter) Write(p []byte) (int, error) {
	if len(p) > 0 {
		e.message("PayloadChunk", "application/octet-stream", p)
	}
	return len(p), e.err
}

// complete writes the last event, which tells a failure, if there was one.
func (e *eventWriter) complete(failure error) {
	var c completion
	if failure != nil {
		c.ErrorCode = functionErrorMessage
		if f, ok := errors.AsType[*Error](failure); ok {
			c.ErrorDetails = string(f.Payload)
		}
	}
	payload, _ := json.Marshal(c) // strings only: it cannot fail
	e.message("InvokeComplete", "application/json", payload)
}

// message writes the lengths of all and of the headers with their checksum, the
// headers, the payload, and the checksum of all.
func (e *eventWriter) message(eventType, contentType string, payload []byte) {
	var headers []byte
	for _, h := range [][2]string{{":message-type", "event"}, {":event-type", eventType}, {":content-type", contentType}} {
		const text = 7 // the type of the value
		headers = append(append(headers, byte(len(h[0]))), h[0]...)
		headers = binary.BigEndian.AppendUint16(append(headers, text), uint16(len(h[1])))
		headers = append(headers, h[1]...)
	}
	const overhead = 4 + 4 + 4 + 4 // two lengths, two checksums
	m := make([]byte, 0, overhead+len(headers)+len(payload))
	m = binary.BigEndian.AppendUint32(m, uint32(cap(m)))
	m = binary.BigEndian.AppendUint32(m, uint32(len(headers)))
	m = binary.BigEndian.AppendUint32(m, crc32.ChecksumIEEE(m))
	m = append(append(m, headers...), payload...)
	m = binary.BigEndian.AppendUint32(m, crc32.ChecksumIEEE(m))
	if e.err == nil {
		_, e.err = e.w.Write(m)
	}
}
