package lambdahttp

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/logging"
)

// sent is what an event, of either payload format, says of a request.
type sent struct {
	method, path string // the path is escaped
	query        string
	protocol     string
	sourceIP     string
	host         string
	header       http.Header
	body         string
	base64       bool   // whether the body is
	requestID    string // the gateway's
	trace        string // x-amzn-trace-id
	authorizer   any    // what the API's authorizer has said; nil: there is none
}

// context puts the ids of the request into the context: the gateway's, which the client
// gets to see, and the invocation's, which Lambda's own log lines name.
func (x *exchange) context(ctx context.Context) context.Context {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		ctx = logging.With(ctx, slog.String("awsRequestId", lc.AwsRequestID))
	}
	if x.sent.authorizer != nil {
		said, _ := json.Marshal(x.sent.authorizer) // it was JSON a moment ago
		ctx = function.WithAuthorizer(ctx, said)
	}
	if x.sent.requestID == "" {
		return ctx // the function makes one up
	}
	return function.WithRequest(ctx, x.sent.requestID, traceRoot(x.sent.trace))
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

// mend gives the request what net/http's server would have given it. The proxy has set
// its path and context.
func (x *exchange) mend(r *http.Request) {
	if isToken(x.sent.method) {
		r.Method = x.sent.method // the proxy writes it in upper case
	}
	r.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: x.sent.query}
	r.RequestURI = r.URL.RequestURI()
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	if major, minor, ok := http.ParseHTTPVersion(x.sent.protocol); ok {
		r.Proto, r.ProtoMajor, r.ProtoMinor = x.sent.protocol, major, minor
	}
	// The gateway does not tell the client's port.
	r.RemoteAddr = net.JoinHostPort(x.sent.sourceIP, "0")
	r.Header, r.Host = x.sent.header, x.sent.host
	r.Body, r.ContentLength, r.GetBody = http.NoBody, int64(len(x.payload)), nil
	if x.payload != "" {
		r.Body = io.NopCloser(strings.NewReader(x.payload))
	}
}
