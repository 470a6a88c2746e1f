package lambdahttp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/tandem-api/tandem/shared/function"
)

var errNotHTTP = errors.New("the event is not a request of an API (payload format 2.0 or 1.0)")

// NewHandler makes of a function's handlers what Lambda calls: it takes requests in
// either payload format, and hands what is none to take, which may be nil.
func NewHandler(app *function.App, h http.Handler, take function.EventHandler) lambda.Handler {
	return &taker{v2: Adapt(app, h), v1: Adapt1(app, h), other: take}
}

type taker struct {
	v2    Handler
	v1    Handler1
	other function.EventHandler // nil: there is none
}

// asked is there in what an API asks an authorizer, which looks like a request else:
// the ARN of what is asked for. Some emulators put the one into the other's format.
type asked struct {
	RouteARN  string `json:"routeArn,omitempty"`
	MethodARN string `json:"methodArn,omitempty"`
}

func (a asked) any() bool { return a.RouteARN+a.MethodARN != "" }

// Invoke answers an event. Its format shows in where it has the method: a REST API does
// not tell a version.
func (t *taker) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	var request struct {
		events.APIGatewayV2HTTPRequest
		asked
	}
	err := json.Unmarshal(event, &request)
	if err == nil && request.RequestContext.HTTP.Method != "" && !request.any() {
		return encoded(t.v2(ctx, request.APIGatewayV2HTTPRequest))
	}
	if bytes.Contains(event, []byte(`"httpMethod"`)) {
		var old struct {
			Event1
			asked
		}
		if err = json.Unmarshal(event, &old); err == nil && old.HTTPMethod != "" && !old.any() {
			return encoded(t.v1(ctx, old.Event1))
		}
	}
	switch {
	case t.other != nil:
	case err != nil:
		return nil, err
	default:
		return nil, errNotHTTP
	}
	if c, ok := lambdacontext.FromContext(ctx); ok {
		ctx = function.WithRequest(ctx, c.AwsRequestID, c.AwsRequestID)
	}
	return encoded(t.other(ctx, bytes.Clone(event))) // it may keep it
}

// encoded is an answer as JSON, as aws-lambda-go writes it.
func encoded(answer any, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(answer); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
