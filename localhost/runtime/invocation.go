package lambda

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// The limits on what goes into and comes out of a function (AWS docs
// "gettingstarted-limits"), in bytes.
const (
	MaxPayload      = 6_291_456
	MaxResponse     = MaxPayload + 100 // (?) seen in AWS's own emulator
	MaxAsyncPayload = 1 << 20
	MaxStream       = 200 << 20
	maxLogTail      = 4 << 10
)

// Invocation is one event for a function.
type Invocation struct {
	// Payload is the event, JSON. It must not change any more, even after Invoke has
	// returned early.
	Payload []byte
	// RequestID is a new UUID where it is empty, TraceID a new trace.
	RequestID string
	TraceID   string
	// ClientContext and Identity are JSON, and reach the function by its context.
	ClientContext string
	Identity      string
	// Stream asks for the answer while the function writes it: see Result.Stream.
	Stream bool
	// Attempts bounds how often a Queue runs it; 0: as often as the queue would.
	Attempts int
	// LogTail asks for the end of the log: see Result.LogTail. A stream has none.
	LogTail bool
}

// Invoke runs one event. A Pool's method is one; the local host has another, which
// calls a function inside its own process.
type Invoke func(ctx context.Context, inv Invocation) (Result, error)

// Result is the answer of a function, be it a good one or the function's failure.
type Result struct {
	RequestID string
	// Payload is what the function answered; after a failure, a JSON object with
	// errorType and errorMessage, in most cases.
	Payload     []byte
	ContentType string
	// FunctionError is empty, or "Unhandled" where the function failed.
	FunctionError string
	// ErrorType tells the failures apart: one of the ErrorType constants, or what the
	// function named.
	ErrorType string
	// Stream is the answer if Invocation.Stream was set and the function did not fail
	// before its first byte; Payload is nil then. A failure after that is the error
	// of Read, an *Error. Close it.
	Stream io.ReadCloser
	// LogTail holds the last 4 KiB of the event's log, if Invocation.LogTail was set.
	LogTail []byte
}

// The types of the failures that are not the function's own words.
const (
	ErrorTypeTimeout     = "Sandbox.Timedout"
	ErrorTypeExit        = "Runtime.ExitError"
	ErrorTypeMemory      = "Runtime.OutOfMemory"
	ErrorTypeEntrypoint  = "Runtime.InvalidEntrypoint"
	ErrorTypeUnknown     = "Runtime.Unknown"
	ErrorTypeTruncated   = "Runtime.TruncatedResponse"
	ErrorTypeMode        = "Runtime.InvalidResponseModeHeader"
	ErrorTypeTooLarge    = "Function.ResponseSizeTooLarge"
	functionErrorMessage = "Unhandled"
)

// Err returns the function's failure as an *Error, or nil.
func (r Result) Err() error {
	if r.FunctionError == "" {
		return nil
	}
	return &Error{Type: r.ErrorType, Payload: r.Payload}
}

// Error is the failure of a function.
type Error struct {
	Type    string
	Payload []byte
}

func (e *Error) Error() string { return "function failed: " + e.Type + ": " + string(e.Payload) }

// ErrClosed says that the pool takes no more events.
var ErrClosed = errors.New("the pool is closed")

// ThrottledError says that as many events run as may.
type ThrottledError struct {
	Function string
	Limit    int
	Reserved bool // the limit is the function's reserved concurrency
}

func (e *ThrottledError) Error() string {
	return fmt.Sprintf("function %s is busy: %d events at once are its limit", e.Function, e.Limit)
}

// TooLargeError says that an event has more bytes than a function takes.
type TooLargeError struct{ Size, Limit int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("an event of %d bytes: the limit is %d", e.Size, e.Limit)
}

func (inv Invocation) complete(now time.Time) Invocation {
	if inv.RequestID == "" {
		inv.RequestID = uuid.NewString()
	}
	if inv.TraceID == "" {
		inv.TraceID = newTraceID(now)
	}
	return inv
}

// newTraceID follows the format of AWS X-Ray's tracing header.
func newTraceID(now time.Time) string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // it never fails
	return "Root=1-" + strconv.FormatInt(now.Unix(), 16) + "-" + hex.EncodeToString(b[:12]) +
		";Parent=" + hex.EncodeToString(b[12:]) + ";Sampled=0"
}
