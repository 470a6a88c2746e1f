package lambdahttp

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/logging"
)

// withIDs puts the ids of the request into the context: the gateway's, which the client
// gets to see, and the invocation's, which Lambda's own log lines name.
func withIDs(ctx context.Context, e *events.APIGatewayV2HTTPRequest) context.Context {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		ctx = logging.With(ctx, slog.String("awsRequestId", lc.AwsRequestID))
	}
	if e.RequestContext.RequestID == "" {
		return ctx // the function makes one up
	}
	return function.WithRequest(ctx, e.RequestContext.RequestID, traceRoot(header(e, "x-amzn-trace-id")))
}

// traceRoot returns the trace's id, as in `Root=1-6745e1a4-0123456789abcdef01234567`.
func traceRoot(trace string) string {
	for field := range strings.SplitSeq(trace, ";") {
		if root, ok := strings.CutPrefix(strings.TrimSpace(field), "Root="); ok {
			return root
		}
	}
	return ""
}

func header(e *events.APIGatewayV2HTTPRequest, name string) string {
	if v, ok := e.Headers[name]; ok { // the gateway writes names in lower case
		return v
	}
	for n, v := range e.Headers {
		if strings.EqualFold(n, name) {
			return v
		}
	}
	return ""
}

// mend gives the request what net/http's server would have given it. The proxy has set
// its method, path and context.
func (x *exchange) mend(r *http.Request) {
	e := x.event
	about := e.RequestContext.HTTP
	if isToken(about.Method) {
		r.Method = about.Method // the proxy writes it in upper case
	}
	r.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: query(e)}
	r.RequestURI = r.URL.RequestURI()
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	if major, minor, ok := http.ParseHTTPVersion(about.Protocol); ok {
		r.Proto, r.ProtoMajor, r.ProtoMinor = about.Protocol, major, minor
	}
	// The gateway does not tell the client's port.
	r.RemoteAddr = net.JoinHostPort(about.SourceIP, "0")
	r.Header, r.Host = headers(e)
	r.Body, r.ContentLength, r.GetBody = http.NoBody, int64(len(x.payload)), nil
	if x.payload != "" {
		r.Body = io.NopCloser(strings.NewReader(x.payload))
	}
}

// query returns the query as it was sent. Events written by hand may have the decoded
// parameters alone.
func query(e *events.APIGatewayV2HTTPRequest) string {
	if e.RawQueryString != "" || len(e.QueryStringParameters) == 0 {
		return e.RawQueryString
	}
	values := make(url.Values, len(e.QueryStringParameters))
	for name, value := range e.QueryStringParameters {
		values.Set(name, value)
	}
	return values.Encode()
}

// headers returns the headers, and the host, which net/http keeps apart from them. The
// gateway has joined repeated headers with commas; a value stays as it came, since a
// comma may as well be part of it.
func headers(e *events.APIGatewayV2HTTPRequest) (http.Header, string) {
	host := e.RequestContext.DomainName
	h := make(http.Header, len(e.Headers)+1)
	values := make([]string, 0, len(e.Headers)+1) // one allocation for all
	for name, value := range e.Headers {
		if strings.EqualFold(name, "Host") {
			host = value
			continue
		}
		values = append(values, value)
		h[http.CanonicalHeaderKey(name)] = values[len(values)-1 : len(values) : len(values)]
	}
	if len(e.Cookies) > 0 {
		h["Cookie"] = []string{strings.Join(e.Cookies, "; ")}
	}
	return h, host
}
