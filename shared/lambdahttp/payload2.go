package lambdahttp

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// sent2 reads an event of payload format 2.0.
func sent2(e *events.APIGatewayV2HTTPRequest) sent {
	about := &e.RequestContext.HTTP
	s := sent{
		method: about.Method, protocol: about.Protocol, sourceIP: about.SourceIP,
		query: e.RawQueryString, body: e.Body, base64: e.IsBase64Encoded,
		requestID: e.RequestContext.RequestID,
	}
	_, route, _ := strings.Cut(e.RouteKey, " ")
	raw := e.RawPath
	if raw == "" {
		raw = about.Path
	}
	s.path = escapedPath(raw, route, e.PathParameters, e.RequestContext.Stage)
	if s.query == "" && len(e.QueryStringParameters) > 0 {
		// Events written by hand may have the decoded parameters alone.
		values := make(url.Values, len(e.QueryStringParameters))
		for name, value := range e.QueryStringParameters {
			values.Set(name, value)
		}
		s.query = values.Encode()
	}
	s.header, s.host = singleHeaders(e.Headers, e.RequestContext.DomainName)
	if len(e.Cookies) > 0 {
		s.header["Cookie"] = []string{strings.Join(e.Cookies, "; ")}
	}
	s.trace = s.header.Get("X-Amzn-Trace-Id")
	if a := e.RequestContext.Authorizer; a != nil {
		s.authorizer = a
	}
	return s
}

// singleHeaders returns the headers, and the host, which net/http keeps apart from
// them. The gateway has joined repeated headers with commas; a value stays as it came,
// since a comma may as well be part of it.
func singleHeaders(all map[string]string, host string) (http.Header, string) {
	h := make(http.Header, len(all)+1)
	values := make([]string, 0, len(all)+1) // one allocation for all
	for name, value := range all {
		if strings.EqualFold(name, "Host") {
			host = value
			continue
		}
		values = append(values, value)
		h[http.CanonicalHeaderKey(name)] = values[len(values)-1 : len(values) : len(values)]
	}
	return h, host
}

// plain2 returns the event with only what the proxy reads right: it would split headers
// at commas, parse a decoded path as a URL, and fail for a body that is not base64.
func plain2(event *events.APIGatewayV2HTTPRequest, s *sent) events.APIGatewayV2HTTPRequest {
	e := *event
	e.RawPath = s.path
	e.Headers, e.Cookies = nil, nil
	e.RawQueryString, e.QueryStringParameters = "", nil
	if !isToken(s.method) {
		e.RequestContext.HTTP.Method = http.MethodGet
	}
	e.Body, e.IsBase64Encoded = "", false
	return e
}
