package lambdahttp

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/report"
)

// Handler takes an event of an HTTP API (payload format 2.0) and returns its answer.
// An error is a failed invocation, for which the gateway answers 500.
type Handler func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

var (
	errNotHTTP = errors.New("the event is not a request of an HTTP API with payload format 2.0")
	errAborted = errors.New("the handler aborted its answer")
)

// Adapt makes a Lambda handler of an http.Handler, which sees the request, and has its
// answer sent, as if net/http had served it.
func Adapt(app *function.App, h http.Handler) Handler {
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		if event.RequestContext.HTTP.Method == "" {
			return events.APIGatewayV2HTTPResponse{}, errNotHTTP
		}
		x := exchange{app: app, handler: h, event: &event}
		answer, err := httpadapter.NewV2(&x).ProxyWithContext(withIDs(ctx, &event), x.plain())
		if err = cmp.Or(x.err, err); err != nil {
			return events.APIGatewayV2HTTPResponse{}, err
		}
		answer.Body, answer.IsBase64Encoded = x.body, x.binary
		return answer, nil
	}
}

// exchange is one request and its answer. The proxy calls it as its handler, with a
// request of method, path and context; it mends the one and the answer.
type exchange struct {
	app     *function.App
	handler http.Handler
	event   *events.APIGatewayV2HTTPRequest

	refusal error  // why the handler does not get to see the request
	payload string // the request's body, decoded
	body    string // the answer's, as the event wants it
	binary  bool   // whether body is base64
	err     error
}

// plain returns the event with only what the proxy reads right: it would split headers
// at commas, parse a decoded path as a URL, and fail for a body that is not base64.
func (x *exchange) plain() events.APIGatewayV2HTTPRequest {
	e := *x.event
	e.RawPath = escapedPath(x.event)
	e.Headers, e.Cookies = nil, nil
	e.RawQueryString, e.QueryStringParameters = "", nil
	if !isToken(e.RequestContext.HTTP.Method) {
		e.RequestContext.HTTP.Method = http.MethodGet
		x.refusal = httperror.New(http.StatusBadRequest, "the method is not a token")
	}
	x.payload = e.Body
	if e.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(e.Body)
		if err != nil {
			x.refusal = httperror.New(http.StatusBadRequest, "the body did not arrive as it was sent").Because(err)
		}
		x.payload = string(decoded)
	}
	e.Body, e.IsBase64Encoded = "", false
	return e
}

// ServeHTTP runs the handler between the proxy's request and its response writer.
func (x *exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mend(r)
	rec := newRecorder(r.Method == http.MethodHead, w.Header())
	x.run(rec, r)
	if r.MultipartForm != nil { // net/http's server removes the files of a form too
		_ = r.MultipartForm.RemoveAll()
	}
	if x.err != nil {
		w.WriteHeader(http.StatusInternalServerError) // the proxy wants a status; the error is what counts
		return
	}
	err := rec.finish()
	if err == nil {
		x.body, x.binary = encode(rec)
		err = fits(w.Header(), x.body)
	}
	if err != nil {
		x.app.Log.ErrorContext(r.Context(), "the answer cannot be sent", "error", err)
		x.app.Report.Notify(r.Context(), err, report.Request(r))
		rec = x.problem(w, r)
		x.body, x.binary = rec.body.String(), false
	}
	w.WriteHeader(rec.status)
}

// run calls the handler. A function's own middleware has caught panics already; what
// comes through is an aborted answer, or a panic outside of that middleware.
func (x *exchange) run(rec *recorder, r *http.Request) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			x.err = errAborted
		default:
			x.app.Log.ErrorContext(r.Context(), "panic", "value", v)
			x.app.Report.Panic(r.Context(), v, report.Request(r))
			x.err = fmt.Errorf("the handler panicked: %T", v)
		}
	}()
	if x.refusal != nil {
		x.app.Log.WarnContext(r.Context(), "request refused", "error", x.refusal)
		httperror.Write(rec, r, x.refusal)
		return
	}
	x.handler.ServeHTTP(rec, r)
}

// problem replaces the answer with a bare 500.
func (x *exchange) problem(w http.ResponseWriter, r *http.Request) *recorder {
	clear(w.Header())
	rec := newRecorder(r.Method == http.MethodHead, w.Header())
	httperror.Write(rec, r, httperror.New(http.StatusInternalServerError, ""))
	_ = rec.finish() // httperror declares the length that it writes
	return rec
}
