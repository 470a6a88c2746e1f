package lambda

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The words of the Runtime API for an answer.
const (
	headerMode  = "Lambda-Runtime-Function-Response-Mode"
	headerType  = "Lambda-Runtime-Function-Error-Type" // a trailer too
	trailerBody = "Lambda-Runtime-Function-Error-Body" // base64
)

// response takes the answer to an event.
func (a *runtimeAPI) response(w http.ResponseWriter, r *http.Request) {
	c := a.claim(w, r)
	if c == nil {
		return
	}
	if mode := r.Header.Get(headerMode); mode != "" && !strings.EqualFold(mode, "streaming") {
		c.settle()
		c.answer((&failure{errorType: ErrorTypeMode, message: "Invalid function response mode"}).result(c.inv.RequestID))
		refuse(w, http.StatusBadRequest, "InvalidFunctionResponseMode", "the only mode is streaming")
		return
	}
	// Whether the answer is streamed to the caller is the caller's choice; a function
	// that streams to one who does not ask for it is collected.
	if c.inv.Stream {
		a.stream(w, r, c)
		return
	}
	body, size, err := collect(r)
	switch {
	case err != nil:
		_ = a.cutOff(w, c)
	case size > MaxResponse:
		c.settle()
		c.answer(tooLarge(size, MaxResponse).result(c.inv.RequestID))
		refuseTooLarge(w, MaxResponse)
	case a.overLimit():
		_ = a.outOfMemory(c)
	default:
		c.settle()
		if f := trailing(r.Trailer); f != nil {
			c.answer(f.result(c.inv.RequestID))
		} else {
			c.answer(Result{Payload: body, ContentType: r.Header.Get("Content-Type")})
		}
		accept(w)
	}
}

// failed takes the failure of an event, in the function's own words.
func (a *runtimeAPI) failed(w http.ResponseWriter, r *http.Request) {
	c := a.claim(w, r)
	if c == nil {
		return
	}
	body, size, err := collect(r)
	if err != nil {
		_ = a.cutOff(w, c)
		return
	}
	c.settle()
	c.answer(spoken(r.Header, body).result(c.inv.RequestID))
	if size > MaxResponse {
		refuseTooLarge(w, MaxResponse)
		return
	}
	accept(w)
}

// stream hands the answer on as it comes.
func (a *runtimeAPI) stream(w http.ResponseWriter, r *http.Request, c *call) {
	read, write := io.Pipe()
	c.answer(Result{Stream: read, ContentType: r.Header.Get("Content-Type")})
	n, err := io.Copy(write, io.LimitReader(r.Body, MaxStream+1))
	if errors.Is(err, io.ErrClosedPipe) { // the caller has left; the function goes on
		n, err = io.Copy(io.Discard, r.Body)
	}
	c.settle()
	switch {
	case err != nil:
		_ = write.CloseWithError(a.cutOff(w, c))
	case n > MaxStream:
		_ = write.CloseWithError(tooLarge(n, MaxStream).result(c.inv.RequestID).Err())
		refuseTooLarge(w, MaxStream)
	case a.overLimit():
		_ = write.CloseWithError(a.outOfMemory(c))
	default:
		var failure error // nil closes the stream with io.EOF
		if f := trailing(r.Trailer); f != nil {
			failure = f.result(c.inv.RequestID).Err()
		}
		_ = write.CloseWithError(failure)
		accept(w)
	}
}

// outOfMemory ends a process that has answered, but with more memory than it may have:
// Lambda would have ended it before it came to that.
func (a *runtimeAPI) outOfMemory(c *call) error {
	a.over <- struct{}{}
	<-c.failed
	return c.failure.result(c.inv.RequestID).Err()
}

// cutOff ends an event whose answer broke off: most likely the process has been
// killed or has crashed, and that is what the caller should hear.
func (a *runtimeAPI) cutOff(w http.ResponseWriter, c *call) error {
	select {
	case <-c.failed:
	case <-a.gone:
		c.fail(a.ended)
	case <-time.After(drainTime):
		c.fail(&failure{errorType: ErrorTypeTruncated, message: "the answer broke off"})
	}
	refuse(w, http.StatusBadRequest, "TruncatedHTTPRequest", "the answer broke off")
	return c.failure.result(c.inv.RequestID).Err()
}

// collect reads a whole answer. Of one that is too large it returns the size alone:
// all is read all the same, since a client that is still sending hears no refusal.
func collect(r *http.Request) (body []byte, size int64, err error) {
	if r.ContentLength >= 0 && r.ContentLength <= MaxResponse {
		body = make([]byte, r.ContentLength)
		n, err := io.ReadFull(r.Body, body)
		return body, int64(n), err
	}
	body, err = io.ReadAll(io.LimitReader(r.Body, MaxResponse+1))
	if err != nil || len(body) <= MaxResponse {
		return body, int64(len(body)), err
	}
	more, err := io.Copy(io.Discard, io.LimitReader(r.Body, MaxStream))
	return nil, int64(len(body)) + more, err
}

// spoken is a failure that the function, or its runtime, has described itself.
func spoken(h http.Header, body []byte) *failure {
	f := &failure{errorType: h.Get(headerType), payload: body}
	var said errorPayload
	if json.Unmarshal(body, &said) == nil && said.Type != "" {
		f.errorType = said.Type
	}
	if f.errorType == "" {
		f.errorType = ErrorTypeUnknown
	}
	return f
}

// trailing is the failure that a function may add after the body of its answer.
func trailing(t http.Header) *failure {
	if t.Get(headerType) == "" {
		return nil
	}
	body, err := base64.StdEncoding.DecodeString(t.Get(trailerBody))
	if err != nil || len(body) == 0 {
		return &failure{errorType: t.Get(headerType), message: "the function failed while it answered"}
	}
	return spoken(t, body)
}

func tooLarge(size, limit int64) *failure {
	return &failure{
		errorType: ErrorTypeTooLarge,
		message:   fmt.Sprintf("Response payload size (%d bytes) exceeded maximum allowed payload size (%d bytes).", size, limit),
	}
}

func refuseTooLarge(w http.ResponseWriter, limit int) {
	refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", limit))
}

func accept(w http.ResponseWriter) { writeJSON(w, http.StatusAccepted, `{"status":"OK"}`+"\n") }

// refuse answers as the Runtime API does when it is used in a wrong way.
func refuse(w http.ResponseWriter, status int, errorType, message string) {
	body, _ := json.Marshal(errorPayload{errorType, message}) // strings only: it cannot fail
	writeJSON(w, status, string(body))
}

func writeJSON(w http.ResponseWriter, status int, body string) {
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // it fails only when the process has gone
}
