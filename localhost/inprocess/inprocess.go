// Package inprocess runs the functions' events in the process of the local host, as
// Lambda would run them in processes of their own: with the same events, answers,
// failures, time-outs and limits.
package inprocess

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

// Function is a function whose events run here.
type Function struct {
	settings *template.Function
	invoke   lambdahttp.Invoke
	running  atomic.Int64
}

// New returns a function with the template's settings.
func New(app *function.App, f function.Function, settings *template.Function) (*Function, error) {
	invoke, err := lambdahttp.Invoker(f, app)
	if err != nil {
		return nil, err
	}
	return &Function{settings: settings, invoke: invoke}, nil
}

// Invoke runs one event, as a lambda.Pool does. At the function's time-out it returns,
// and the event's context ends; code that does not look at that goes on.
func (f *Function) Invoke(ctx context.Context, inv lambda.Invocation) (lambda.Result, error) {
	if len(inv.Payload) > lambda.MaxPayload {
		return lambda.Result{}, &lambda.TooLargeError{Size: len(inv.Payload), Limit: lambda.MaxPayload}
	}
	if n := f.running.Add(1); f.settings.Reserved != nil && n > int64(*f.settings.Reserved) {
		f.running.Add(-1)
		return lambda.Result{}, &lambda.ThrottledError{Function: f.settings.Name, Limit: *f.settings.Reserved, Reserved: true}
	}
	if inv.RequestID == "" {
		inv.RequestID = uuid.NewString()
	}
	event := lambdahttp.Invocation{Event: inv.Payload, RequestID: inv.RequestID, ARN: f.settings.ARN()}
	// The caller may leave; the function goes on, as on Lambda.
	base, log, began := context.WithoutCancel(ctx), &tail{}, time.Now()
	if inv.LogTail {
		fmt.Fprintf(log, "START RequestId: %s Version: %s\n", inv.RequestID, lambda.Version)
		base = context.WithValue(base, tailKey{}, log)
	}
	within, cancel := context.WithTimeout(base, f.settings.Timeout)
	done := make(chan lambda.Result, 1)
	go func() {
		defer f.running.Add(-1)
		defer cancel()
		// What comes after the time-out, such as the context's own error, comes too late.
		if r := result(f.invoke(within, event)); within.Err() == nil {
			done <- r
		}
	}()
	var r lambda.Result
	select {
	case r = <-done:
	case <-ctx.Done():
		return lambda.Result{}, context.Cause(ctx)
	case <-within.Done():
		select {
		case r = <-done: // it has ended by itself, in time
		default:
			r = f.timedOut(inv.RequestID)
		}
	}
	r.RequestID = inv.RequestID
	if inv.LogTail {
		r.LogTail = log.last(inv.RequestID, time.Since(began), f.settings.MemorySize)
	}
	return r, nil
}

// result puts an answer, or a failure, into Lambda's form.
func result(payload []byte, err error) lambda.Result {
	r := lambda.Result{Payload: payload, ContentType: "application/json"}
	switch {
	case err != nil:
		r.Payload = lambdahttp.Failure(err)
		var said struct{ ErrorType string }
		_ = json.Unmarshal(r.Payload, &said) // it is what Failure has made
		r.ErrorType = said.ErrorType
	case len(payload) > lambda.MaxResponse:
		r.ErrorType = lambda.ErrorTypeTooLarge
		r.Payload = failure(r.ErrorType, fmt.Sprintf("Response payload size (%d bytes) exceeded maximum allowed payload size (%d bytes).", len(payload), lambda.MaxResponse))
	default:
		return r
	}
	r.FunctionError = "Unhandled"
	return r
}

func (f *Function) timedOut(requestID string) lambda.Result {
	message := fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", requestID, f.settings.Timeout.Seconds())
	return lambda.Result{
		Payload: failure(lambda.ErrorTypeTimeout, message), ContentType: "application/json",
		FunctionError: "Unhandled", ErrorType: lambda.ErrorTypeTimeout,
	}
}

func failure(kind, message string) []byte {
	text, _ := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message}) // texts: it cannot fail
	return text
}
