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

// Handler1 is a Handler of payload format 1.0: of a REST API, or of an HTTP API that is
// told to send it.
type Handler1 func(context.Context, Event1) (events.APIGatewayProxyResponse, error)

var errAborted = errors.New("the handler aborted its answer")

// Adapt makes a Lambda handler of an http.Handler, which sees the request, and has its
// answer sent, as if net/http had served it.
func Adapt(app *function.App, h http.Handler) Handler {
	return func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		x := exchange{app: app, handler: h, sent: sent2(&event)}
		x.check()
		answer, err := httpadapter.NewV2(&x).ProxyWithContext(x.context(ctx), plain2(&event, &x.sent))
		if err = cmp.Or(x.err, err); err != nil {
			return events.APIGatewayV2HTTPResponse{}, err
		}
		answer.Body, answer.IsBase64Encoded = x.body, x.binary
		return answer, nil
	}
}

// Adapt1 is Adapt for payload format 1.0.
func Adapt1(app *function.App, h http.Handler) Handler1 {
	return func(ctx context.Context, event Event1) (events.APIGatewayProxyResponse, error) {
		x := exchange{app: app, handler: h, sent: sent1(&event)}
		x.check()
		answer, err := httpadapter.New(&x).ProxyWithContext(x.context(ctx), plain1(&event, &x.sent))
		if err = cmp.Or(x.err, err); err != nil {
			return events.APIGatewayProxyResponse{}, err
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
	sent    sent

	refusal error  // why the handler does not get to see the request
	payload string // the request's body, decoded
	body    string // the answer's, as the event wants it
	binary  bool   // whether body is base64
	err     error
}

// check decodes the body, and refuses what is no request.
func (x *exchange) check() {
	if !isToken(x.sent.method) {
		x.refusal = httperror.New(http.StatusBadRequest, "the method is not a token")
	}
	x.payload = x.sent.body
	if !x.sent.base64 {
		return
	}
	decoded, err := base64.StdEncoding.DecodeString(x.sent.body)
	if err != nil {
		x.refusal = httperror.New(http.StatusBadRequest, "the body did not arrive as it was sent").Because(err)
	}
	x.payload = string(decoded)
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
