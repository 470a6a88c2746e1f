package gateway

import (
	"net/http"

	"github.com/tandem-api/tandem/localhost/template"
)

// event1 is payload 1.0 ("http-api-develop-integrations-lambda"), which a REST API
// sends too ("set-up-lambda-proxy-integrations"), without a version. Keys without a
// value are null in it.
type event1 struct {
	Version         string              `json:"version,omitempty"`
	Resource        string              `json:"resource"`
	Path            string              `json:"path"`
	Method          string              `json:"httpMethod"`
	Headers         map[string]string   `json:"headers"`
	AllHeaders      map[string][]string `json:"multiValueHeaders"`
	Query           map[string]string   `json:"queryStringParameters"`
	AllQuery        map[string][]string `json:"multiValueQueryStringParameters"`
	Context         context1            `json:"requestContext"`
	PathParameters  map[string]string   `json:"pathParameters"`
	StageVariables  map[string]string   `json:"stageVariables"`
	Body            *string             `json:"body"`
	IsBase64Encoded bool                `json:"isBase64Encoded"`
}

type context1 struct {
	AccountID         string    `json:"accountId"`
	APIID             string    `json:"apiId"`
	Authorizer        any       `json:"authorizer,omitempty"`
	DomainName        string    `json:"domainName"`
	DomainPrefix      string    `json:"domainPrefix"`
	ExtendedRequestID string    `json:"extendedRequestId"`
	Method            string    `json:"httpMethod"`
	Identity          identity1 `json:"identity"`
	Path              string    `json:"path"`
	Protocol          string    `json:"protocol"`
	RequestID         string    `json:"requestId"`
	Time              string    `json:"requestTime"`
	TimeEpoch         int64     `json:"requestTimeEpoch"`
	ResourceID        *string   `json:"resourceId"`
	ResourcePath      string    `json:"resourcePath"`
	Stage             string    `json:"stage"`
}

type identity1 struct {
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

func (c *call) event1(r *http.Request) event1 {
	path := c.request.URL.Path
	out := event1{
		Version:        "1.0",
		Resource:       c.route.Path,
		Path:           path,
		Method:         r.Method,
		Headers:        map[string]string{"Host": r.Host},
		AllHeaders:     map[string][]string{"Host": {r.Host}},
		PathParameters: c.parameters(),
	}
	if c.api.Kind == template.REST { // as they were sent (?)
		path = c.request.URL.EscapedPath()
		out.Version, out.Path = "", c.sentPath()
		for name := range out.PathParameters {
			out.PathParameters[name] = c.sentParameter(name)
		}
	}
	for name, values := range r.Header {
		out.Headers[name], out.AllHeaders[name] = last(values), values
	}
	if all := query(r.URL.RawQuery); len(all) > 0 {
		out.Query, out.AllQuery = map[string]string{}, all
		for key, values := range all {
			out.Query[key] = last(values)
		}
	}
	domain, prefix := domain(r.Host)
	out.Context = context1{
		AccountID: template.AccountID, APIID: template.APIID, Authorizer: c.authorized,
		DomainName: domain, DomainPrefix: prefix,
		ExtendedRequestID: c.id(), RequestID: c.id(),
		Method: r.Method, Path: path, Protocol: r.Proto,
		Identity: identity1{SourceIP: clientIP(r), UserAgent: r.UserAgent()},
		Time:     c.arrived.UTC().Format(requestTime), TimeEpoch: c.arrived.UnixMilli(),
		ResourcePath: c.route.Path, Stage: c.api.Stage,
	}
	if body, isBase64 := c.encoded(r); body != "" {
		out.Body, out.IsBase64Encoded = &body, isBase64
	}
	return out
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}
