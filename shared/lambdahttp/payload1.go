package lambdahttp

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// Event1 is an event of payload format 1.0.
type Event1 struct {
	events.APIGatewayProxyRequest
	// Version is "1.0" from an HTTP API, and missing from a REST API.
	Version string `json:"version,omitempty"`
}

// sent1 reads an event of payload format 1.0.
func sent1(e *Event1) sent {
	about := &e.RequestContext
	s := sent{
		method: e.HTTPMethod, protocol: about.Protocol, sourceIP: about.Identity.SourceIP,
		query: query1(e), body: e.Body, base64: e.IsBase64Encoded,
		requestID: about.RequestID,
	}
	s.path = path1(e)
	if len(e.MultiValueHeaders) > 0 {
		s.header, s.host = allHeaders(e.MultiValueHeaders, about.DomainName)
	} else {
		s.header, s.host = singleHeaders(e.Headers, about.DomainName)
	}
	s.trace = s.header.Get("X-Amzn-Trace-Id")
	if a := about.Authorizer; a != nil {
		s.authorizer = a
	}
	return s
}

// path1 returns the event's path, escaped. An HTTP API hands it over decoded, as it does
// in format 2.0, and says so by its version; a REST API, whose events have none, hands
// it and its variables over as they were sent (?).
func path1(e *Event1) string {
	raw := cmp.Or(e.Path, e.RequestContext.Path)
	if e.Version != "" {
		return escapedPath(raw, e.Resource, e.PathParameters, e.RequestContext.Stage)
	}
	if route, _, ok := expand(e.Resource, e.PathParameters); ok && route != "" && strings.HasSuffix(raw, route) {
		raw = route // without the base path of a custom domain
	}
	if u, err := url.ParseRequestURI(raw); err == nil && u.Scheme == "" && u.RawQuery == "" && !u.ForceQuery {
		return u.EscapedPath()
	}
	return escapedPath(raw, "", nil, "") // written by hand, with a bare % or ?
}

// query1 writes the query anew, since the event has it decoded and in no order.
func query1(e *Event1) string {
	if len(e.MultiValueQueryStringParameters) > 0 {
		return url.Values(e.MultiValueQueryStringParameters).Encode()
	}
	if len(e.QueryStringParameters) == 0 {
		return ""
	}
	values := make(url.Values, len(e.QueryStringParameters))
	for name, value := range e.QueryStringParameters {
		values.Set(name, value)
	}
	return values.Encode()
}

// allHeaders returns the headers, and the host. Names that differ by their case alone
// are one header.
func allHeaders(all map[string][]string, host string) (http.Header, string) {
	h := make(http.Header, len(all))
	for name, values := range all {
		if strings.EqualFold(name, "Host") {
			if len(values) > 0 {
				host = values[0]
			}
			continue
		}
		key := http.CanonicalHeaderKey(name)
		h[key] = append(h[key], values...)
	}
	return h, host
}

// plain1 is plain2 for payload format 1.0, whose proxy writes the query in no order,
// fails for a body that is not base64, and takes the address for one with a port.
func plain1(event *Event1, s *sent) events.APIGatewayProxyRequest {
	e := event.APIGatewayProxyRequest
	e.Path = s.path
	e.Headers, e.MultiValueHeaders = nil, nil
	e.QueryStringParameters, e.MultiValueQueryStringParameters = nil, nil
	if !isToken(s.method) {
		e.HTTPMethod = http.MethodGet
	}
	e.Body, e.IsBase64Encoded = "", false
	return e
}
