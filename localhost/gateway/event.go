package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/tandem-api/tandem/localhost/template"
)

// Event returns the event of a request, as JSON, in the payload version of its route.
// The request is the one that the gateway hands to a handler.
func Event(r *http.Request) ([]byte, error) {
	c, ok := callOf(r)
	if !ok {
		return nil, errors.New("the request has not come through the gateway")
	}
	var event any
	if c.route.PayloadVersion == "1.0" {
		event = c.event1(r)
	} else {
		event = c.event2(r)
	}
	return asText(event)
}

// asText is an event as JSON.
func asText(event any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(event); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// event2 is payload 2.0 ("http-api-develop-integrations-lambda"). Its structs stand
// here, since those of aws-lambda-go write keys that the gateway leaves out.
type event2 struct {
	Version         string            `json:"version"`
	RouteKey        string            `json:"routeKey"`
	RawPath         string            `json:"rawPath"`
	RawQuery        string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies,omitempty"`
	Headers         map[string]string `json:"headers"`
	Query           map[string]string `json:"queryStringParameters,omitempty"`
	Context         context2          `json:"requestContext"`
	PathParameters  map[string]string `json:"pathParameters,omitempty"`
	Body            string            `json:"body,omitempty"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type context2 struct {
	AccountID    string `json:"accountId"`
	APIID        string `json:"apiId"`
	Authorizer   any    `json:"authorizer,omitempty"`
	DomainName   string `json:"domainName"`
	DomainPrefix string `json:"domainPrefix"`
	HTTP         http2  `json:"http"`
	RequestID    string `json:"requestId"`
	RouteKey     string `json:"routeKey"`
	Stage        string `json:"stage"`
	Time         string `json:"time"`
	TimeEpoch    int64  `json:"timeEpoch"`
}

type http2 struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// requestTime is how requestContext writes a time, in UTC.
const requestTime = "02/Jan/2006:15:04:05 -0700"

func (c *call) event2(r *http.Request) event2 {
	path := c.request.URL.Path
	domain, prefix := domain(r.Host)
	out := event2{
		Version:  "2.0",
		RouteKey: c.route.Key(),
		RawPath:  path,
		RawQuery: r.URL.RawQuery,
		Headers:  make(map[string]string, len(r.Header)+1),
		Context: context2{
			AccountID: template.AccountID, APIID: template.APIID, Authorizer: c.authorized,
			DomainName: domain, DomainPrefix: prefix,
			HTTP:      http2{Method: r.Method, Path: path, Protocol: r.Proto, SourceIP: clientIP(r), UserAgent: r.UserAgent()},
			RequestID: c.id(), RouteKey: c.route.Key(), Stage: c.api.Stage,
			Time: c.arrived.UTC().Format(requestTime), TimeEpoch: c.arrived.UnixMilli(),
		},
		PathParameters: c.parameters(),
	}
	for name, values := range r.Header {
		if name == "Cookie" {
			out.Cookies = strings.Split(strings.Join(values, "; "), "; ")
			continue
		}
		out.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	out.Headers["host"] = r.Host
	for key, values := range query(r.URL.RawQuery) {
		if out.Query == nil {
			out.Query = map[string]string{}
		}
		out.Query[key] = strings.Join(values, ",")
	}
	out.Body, out.IsBase64Encoded = c.encoded(r)
	return out
}

// domain returns an API's domain name and its first label.
func domain(host string) (name, prefix string) {
	name = host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if net.ParseIP(name) != nil {
		return name, name
	}
	prefix, _, _ = strings.Cut(name, ".")
	return name, prefix
}

// parameters are the path's variables, decoded.
func (c *call) parameters() map[string]string {
	if len(c.route.names) == 0 {
		return nil
	}
	out := make(map[string]string, len(c.route.names))
	for _, name := range c.route.names {
		out[name] = c.parameter(name)
	}
	return out
}

// query reads a query string as the gateway does: what cannot be decoded stays as it
// is. It comes as texts that JSON has.
func query(raw string) map[string][]string {
	out := map[string][]string{}
	for raw != "" {
		var one string
		one, raw, _ = strings.Cut(raw, "&")
		if one == "" {
			continue
		}
		key, value, _ := strings.Cut(one, "=")
		key, value = unescaped(key), unescaped(value)
		out[key] = append(out[key], value)
	}
	return out
}

func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		s = plain
	}
	return asJSON(s)
}

// encoded is the body as an event has it.
func (c *call) encoded(r *http.Request) (body string, isBase64 bool) {
	b := c.payload.bytes()
	if len(b) == 0 {
		return "", false
	}
	mediaType := mediaTypeOf(r.Header.Get("Content-Type"))
	// JSON has no place for bytes that are no UTF-8, whatever their type says (?).
	isText := isText(mediaType) && utf8.Valid(b)
	if c.api.Kind == template.REST {
		isText = !c.api.takesBytes(mediaType)
	}
	if isText {
		return string(b), false
	}
	return base64.StdEncoding.EncodeToString(b), true
}

// mediaTypeOf is the media type that a header names first, in lower case.
func mediaTypeOf(header string) string {
	mediaType, _, err := mime.ParseMediaType(header)
	if err != nil && mediaType == "" {
		mediaType, _, _ = strings.Cut(header, ";")
	}
	return strings.ToLower(strings.TrimSpace(mediaType))
}
