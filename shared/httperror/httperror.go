// Package httperror holds the errors that clients may see, and writes them as
// problem documents (RFC 9457). What is not one of them is an internal error: the
// client gets a bare 500, and the report has the rest.
package httperror

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"

	"github.com/tandem-api/tandem/shared/logging"
)

// ContentType is the media type of every error answer.
const ContentType = "application/problem+json"

// Error is an error that a client may see: it says nothing about the inside.
type Error struct {
	Status     int         // the HTTP status, 400 to 599
	Detail     string      // what is wrong with this request, for a person
	Violations []Violation // what is wrong in the body, each place by itself
	Header     http.Header // headers of the answer: Retry-After, WWW-Authenticate, …
	cause      error       // why, for logs and reports; never sent
}

// Violation is one fault in a request's body.
type Violation struct {
	Pointer string `json:"pointer"` // where: a JSON pointer (RFC 6901), "" for the whole body
	Message string `json:"message"` // what
}

// New returns an error with that status, and a detail written as by fmt.Sprintf.
func New(status int, format string, args ...any) *Error {
	return &Error{Status: status, Detail: fmt.Sprintf(format, args...)}
}

// Because attaches the inner reason, which is logged and reported but never sent.
func (e *Error) Because(cause error) *Error {
	e.cause = cause
	return e
}

// With sets a header of the answer.
func (e *Error) With(header, value string) *Error {
	if e.Header == nil {
		e.Header = http.Header{}
	}
	e.Header.Set(header, value)
	return e
}

func (e *Error) Error() string {
	text := strconv.Itoa(e.Status) + " " + http.StatusText(e.Status)
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.cause }

// Status returns the status that a client gets for err: its own if it is an *Error
// or wraps one, and 500 for any other.
func Status(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return http.StatusInternalServerError
}

// problem is the document that RFC 9457 describes, with two members of our own:
// errors and requestId.
type problem struct {
	Type      string      `json:"type"`
	Title     string      `json:"title"`
	Status    int         `json:"status"`
	Detail    string      `json:"detail,omitempty"`
	Errors    []Violation `json:"errors,omitempty"`
	RequestID string      `json:"requestId,omitempty"`
}

// Write answers the request with err as a problem document.
func Write(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = &Error{Status: http.StatusInternalServerError}
	}
	body, _ := json.Marshal(problem{ // strings and numbers only: it cannot fail
		Type:      "about:blank",
		Title:     http.StatusText(e.Status),
		Status:    e.Status,
		Detail:    e.Detail,
		Errors:    e.Violations,
		RequestID: logging.Value(r.Context(), logging.RequestID),
	})
	h := w.Header()
	// What the handler meant for its own answer does not fit this one.
	for _, name := range []string{
		"Content-Encoding", "Content-Language", "Content-Location", "Content-Disposition", "Content-Range",
		"ETag", "Last-Modified", "Cache-Control", "Expires",
	} {
		h.Del(name)
	}
	maps.Copy(h, e.Header)
	h.Set("Content-Type", ContentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(e.Status)
	_, _ = w.Write(body)
}
