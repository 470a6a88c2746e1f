package gateway

import (
	"net/http"
	"strings"

	"github.com/tandem-api/tandem/localhost/template"
)

// What a Lambda authorizer is asked: the event of the request, without its body, and
// what it is asked for ("http-api-lambda-authorizer", "api-gateway-lambda-authorizer-input").
type (
	question2 struct {
		Type     string   `json:"type"`
		RouteARN string   `json:"routeArn"`
		Identity []string `json:"identitySource"`
		event2
		IsBase64Encoded *bool `json:"isBase64Encoded,omitempty"`
	}
	question1 struct {
		Type      string `json:"type"`
		MethodARN string `json:"methodArn"`
		Identity  string `json:"identitySource,omitempty"`
		Token     string `json:"authorizationToken,omitempty"`
		event1
		Body            *string `json:"body,omitempty"`
		IsBase64Encoded *bool   `json:"isBase64Encoded,omitempty"`
	}
	questionToken struct {
		Type      string `json:"type"`
		Token     string `json:"authorizationToken"`
		MethodARN string `json:"methodArn"`
	}
)

func (g *lambdaGuard) question(c *call, r *http.Request, identity []string) any {
	arn := c.arn(g.Function)
	if g.Type == template.Token {
		return questionToken{g.Type, identity[0], arn}
	}
	seen := r.Clone(c) // as the function would see it; it has not been called yet
	c.forward(seen)
	if g.PayloadVersion == "2.0" {
		return question2{Type: g.Type, RouteARN: arn, Identity: identity, event2: c.event2(seen)}
	}
	q := question1{Type: g.Type, MethodARN: arn, event1: c.event1(seen)}
	if c.api.Kind == template.HTTP {
		q.Identity = strings.Join(identity, ",")
		q.Token = q.Identity
	}
	return q
}

// arn names what is asked for, as policies do:
// arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH.
func (c *call) arn(f *template.Function) string {
	part := strings.Split(f.ARN(), ":") // arn:aws:lambda:REGION:ACCOUNT:function:NAME
	path := strings.TrimPrefix(strings.TrimPrefix(c.request.URL.Path, c.api.prefix), "/")
	return strings.Join([]string{part[0], part[1], "execute-api", part[3], part[4], template.APIID}, ":") + "/" + c.api.Stage + "/" + c.request.Method + "/" + path
}
