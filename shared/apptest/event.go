package apptest

import (
	"encoding/base64"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Event makes of a request what API Gateway hands to a function: an event of an HTTP
// API, payload format 2.0, for the route, such as "GET /users/{id}" or "$default". The
// request is as a server has read it. Its rules are those of AWS' "Working with AWS
// Lambda proxy integrations for HTTP APIs", and of published captures.
func Event(t testing.TB, route string, r *http.Request) events.APIGatewayV2HTTPRequest {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("read the request: %v", err)
	}
	now := time.Date(2026, time.November, 23, 11, 15, 0, 0, time.UTC)
	e := events.APIGatewayV2HTTPRequest{
		Version:        "2.0",
		RouteKey:       route,
		RawPath:        r.URL.Path,
		RawQueryString: r.URL.RawQuery,
		PathParameters: pathParameters(t, route, r.URL.EscapedPath()),
		Headers:        map[string]string{"host": r.Host},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			AccountID: "123456789012", APIID: "api-id",
			DomainName: "api-id.execute-api.eu-central-1.amazonaws.com", DomainPrefix: "api-id",
			RequestID: "JKJaXmPLvHcESHA=", RouteKey: route, Stage: "$default",
			Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: "192.0.2.1", UserAgent: r.UserAgent(),
			},
		},
	}
	for name, values := range r.Header {
		if name == "Cookie" {
			e.Cookies = strings.Split(strings.Join(values, "; "), "; ")
			continue
		}
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	e.Headers["x-amzn-trace-id"] = "Root=1-6742b8f4-0123456789abcdef01234567"
	e.Headers["x-forwarded-for"] = "192.0.2.1"
	e.Headers["x-forwarded-port"], e.Headers["x-forwarded-proto"] = "443", "https"
	for name, values := range r.URL.Query() {
		if e.QueryStringParameters == nil {
			e.QueryStringParameters = map[string]string{}
		}
		e.QueryStringParameters[name] = strings.Join(values, ",")
	}
	e.Body = string(body)
	if len(body) > 0 && !isText(r.Header.Get("Content-Type")) {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		e.RequestContext.HTTP.SourceIP = host
	}
	return e
}

// isText says which bodies the gateway leaves as they are; it encodes the others.
func isText(contentType string) bool {
	kind, _, _ := mime.ParseMediaType(contentType)
	switch kind {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}

// pathParameters matches the path as it was sent, and decodes the values.
func pathParameters(t testing.TB, route, path string) map[string]string {
	t.Helper()
	_, template, ok := strings.Cut(route, " ")
	if !ok {
		return nil
	}
	names := regexp.MustCompile(`\{([^}+]+)(\+?)\}`).FindAllStringSubmatch(template, -1)
	if names == nil {
		return nil
	}
	pattern := regexp.QuoteMeta(template)
	for _, n := range names {
		pattern = strings.Replace(pattern, regexp.QuoteMeta(n[0]), map[string]string{"": "([^/]+)", "+": "(.+)"}[n[2]], 1)
	}
	values := regexp.MustCompile("^" + pattern + "$").FindStringSubmatch(path)
	if values == nil {
		t.Fatalf("the path %s is not of the route %s", path, route)
	}
	params := map[string]string{}
	for i, n := range names {
		value, err := url.PathUnescape(values[i+1])
		if err != nil {
			t.Fatalf("the path %s: %v", path, err)
		}
		params[n[1]] = value
	}
	return params
}
