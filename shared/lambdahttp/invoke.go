package lambdahttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/tandem-api/tandem/shared/function"
)

// Invocation is an event, and what Lambda says of it.
type Invocation struct {
	Event     []byte // JSON
	RequestID string
	ARN       string // the function's
}

// Invoke takes an event and returns the answer, JSON. The error is the function's
// failure: see Failure.
type Invoke func(ctx context.Context, i Invocation) ([]byte, error)

// Invoker returns a function as Lambda calls it, for a host that calls it in its own
// process: with the same events, answers and failures. Unlike on Lambda, a panic does
// not end the process.
func Invoker(f function.Function, app *function.App) (Invoke, error) {
	h, take, err := build(f, app)
	if err != nil {
		return nil, err
	}
	called := NewHandler(app, h, take)
	return func(ctx context.Context, i Invocation) (answer []byte, err error) {
		defer func() {
			if v := recover(); v != nil {
				err = panicked{v}
			}
		}()
		ctx = lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: i.RequestID, InvokedFunctionArn: i.ARN})
		return called.Invoke(ctx, i.Event)
	}, nil
}

// panicked is the failure of an event whose handler panicked.
type panicked struct{ value any }

func (p panicked) Error() string { return fmt.Sprint(p.value) }

// Failure is what a bootstrap tells Lambda of an error, as JSON: errorMessage, and in
// errorType the name of its Go type (github.com/aws/aws-lambda-go, lambda/errors.go).
func Failure(err error) []byte {
	said, ok := errors.AsType[messages.InvokeResponse_Error](err)
	if !ok {
		said = messages.InvokeResponse_Error{Message: err.Error(), Type: typeName(err)}
	}
	text, _ := json.Marshal(said) // texts and numbers: it cannot fail
	return text
}

func typeName(err error) string {
	var v any = err
	if p, ok := errors.AsType[panicked](err); ok {
		v = p.value
	}
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}
