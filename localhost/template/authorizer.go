package template

import (
	"slices"
	"time"

	"gopkg.in/yaml.v3"
)

// The types of authorizers.
const (
	JWT     = "JWT"
	Request = "REQUEST" // a Lambda function that sees the request
	Token   = "TOKEN"   // a Lambda function that sees one header; of REST APIs
	IAM     = "AWS_IAM"
	Cognito = "COGNITO_USER_POOLS" // of REST APIs
	APIKey  = "API_KEY"            // of REST APIs
)

// Authorizer is an entry of Auth.Authorizers, or AWS_IAM.
type Authorizer struct {
	Name     string
	Type     string
	Position Position
	Scopes   []string
	// Of a JWT:
	Issuer         string
	Audience       []string
	IdentitySource string // $request.header.Authorization
	// Of a function:
	Function *Function
	// PayloadVersion is that of the event which the function gets: "2.0" or "1.0".
	PayloadVersion string
	// Simple says that the function answers with isAuthorized, not with a policy.
	Simple bool
	// Identity are what a request must have, and what tells cached results apart:
	// $request.header.NAME, $request.querystring.NAME, $context.NAME, $stageVariables.NAME.
	Identity []string
	// Validation is a regular expression that the token of a Token must match, "" for any.
	Validation string
	TTL        time.Duration // of a result; 0: none is kept
}

// How long a result is kept where the template does not say ("api-gateway-lambda-authorizer";
// of an HTTP API (?)), and at most.
const (
	defaultTTL = 300
	maxTTL     = 3600
)

// authorizer returns the API's authorizer of that name, read when a route first needs it.
// What is wrong is told at the place that names it, or that is wrong.
func (r *resolver) authorizer(a *API, name string, from *yaml.Node) *Authorizer {
	if one := a.Authorizers[name]; one != nil {
		return one
	}
	entries := r.mapping(a.auth, "Authorizers")
	entry := r.mapping(entries, name)
	var one *Authorizer
	switch {
	case entry != nil:
		one = r.readAuthorizer(a, entry)
	case name == IAM && (a.Kind == REST || r.boolean(a.auth, "EnableIamAuthorizer")):
		one = &Authorizer{Type: IAM}
	case name == IAM:
		r.fail(r.at(from, "AWS_IAM needs EnableIamAuthorizer: true in the Auth of %s", a.LogicalID))
		return nil
	default:
		r.fail(r.at(from, "%s has no authorizer %s under Auth.Authorizers", a.LogicalID, name))
		return nil
	}
	one.Name, one.Position = name, r.position(or(entry, from))
	a.Authorizers[name] = one
	return one
}

func (r *resolver) readAuthorizer(a *API, n *yaml.Node) *Authorizer {
	one := &Authorizer{Scopes: r.textList(n, "AuthorizationScopes")}
	jwt := r.mapping(n, "JwtConfiguration")
	switch {
	case a.Kind == REST && field(n, "UserPoolArn") != nil:
		one.Type = Cognito
	case a.Kind == REST:
		r.restAuthorizer(one, n)
	case jwt != nil:
		one.Type = JWT
		one.Issuer = r.optional(jwt, "issuer")
		one.Audience = r.textList(jwt, "audience")
		if one.IdentitySource = r.optional(n, "IdentitySource"); one.IdentitySource == "" {
			one.IdentitySource = "$request.header.Authorization"
		}
	default:
		one.Type = Request
		one.PayloadVersion = r.optional(n, "AuthorizerPayloadFormatVersion")
		one.Simple = r.boolean(n, "EnableSimpleResponses")
		switch {
		case one.PayloadVersion != "2.0" && one.PayloadVersion != "1.0":
			r.fail(r.at(or(field(n, "AuthorizerPayloadFormatVersion"), n), "AuthorizerPayloadFormatVersion is %q, and must be \"2.0\" or \"1.0\"", one.PayloadVersion))
		case one.Simple && one.PayloadVersion == "1.0":
			r.fail(r.at(field(n, "EnableSimpleResponses"), "EnableSimpleResponses needs AuthorizerPayloadFormatVersion 2.0"))
		}
		one.Function = r.authorizerFunction(n)
		r.identity(one, r.mapping(n, "Identity"))
	}
	return one
}

// restAuthorizer reads an authorizer of a REST API, which is a Token unless it says
// otherwise.
func (r *resolver) restAuthorizer(one *Authorizer, n *yaml.Node) {
	one.PayloadVersion, one.Type = "1.0", Token
	if kind := r.optional(n, "FunctionPayloadType"); kind != "" {
		one.Type = kind
		if kind != Token && kind != Request {
			r.fail(r.at(field(n, "FunctionPayloadType"), "FunctionPayloadType is %q, and must be TOKEN or REQUEST", kind))
		}
	}
	one.Function = r.authorizerFunction(n)
	identity := r.mapping(n, "Identity")
	if one.Type == Request {
		r.identity(one, identity)
		return
	}
	header := r.optional(identity, "Header")
	if header == "" {
		header = "Authorization"
	}
	one.Identity = []string{"$request.header." + header}
	one.Validation = r.optional(identity, "ValidationExpression")
	one.TTL = r.ttl(identity)
}

// identity reads the sources, in the order in which SAM lists them.
func (r *resolver) identity(one *Authorizer, n *yaml.Node) {
	for _, source := range []struct{ property, prefix string }{
		{"Headers", "$request.header."}, {"QueryStrings", "$request.querystring."},
		{"StageVariables", "$stageVariables."}, {"Context", "$context."},
	} {
		for _, name := range r.textList(n, source.property) {
			one.Identity = append(one.Identity, source.prefix+name)
		}
	}
	if one.TTL = r.ttl(n); len(one.Identity) == 0 {
		one.TTL = 0 // there is nothing to tell results apart by
	}
}

func (r *resolver) ttl(identity *yaml.Node) time.Duration {
	return time.Duration(r.number(identity, "ReauthorizeEvery", defaultTTL, 0, maxTTL)) * time.Second
}

// authorizerFunction is the function of the template that FunctionArn means.
func (r *resolver) authorizerFunction(n *yaml.Node) *Function {
	at := field(n, "FunctionArn")
	if at == nil {
		r.fail(r.at(n, "the authorizer has neither a FunctionArn nor a JwtConfiguration"))
		return nil
	}
	arn, _, err := r.text(at)
	if err != nil {
		r.fail(err)
		return nil
	}
	i := slices.IndexFunc(r.functions, func(f *Function) bool { return f.ARN() == arn })
	if i < 0 {
		r.fail(r.at(at, "%s is no function of this template, so that it cannot run here: give the routes Authorizer: NONE, by a condition, to leave it out", arn))
		return nil
	}
	return r.functions[i]
}
