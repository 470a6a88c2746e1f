package template

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// Kind is a kind of API.
type Kind string

// The kinds of API, by the events that make them.
const (
	HTTP Kind = "HttpApi" // API Gateway's HTTP API
	REST Kind = "Api"     // API Gateway's REST API
)

// The APIs that SAM makes of events that name none.
const (
	implicitHTTPAPI = "ServerlessHttpApi"
	implicitRESTAPI = "ServerlessRestApi"
)

// DefaultStage is the stage of an HTTP API that adds nothing to the path.
const DefaultStage = "$default"

// API is what stands in front of the functions: an AWS::Serverless::HttpApi or
// AWS::Serverless::Api, written in the template or made by SAM.
type API struct {
	LogicalID   string
	Kind        Kind
	Stage       string                 // $default, or the first part of every path
	CORS        *CORS                  // nil: not configured
	Throttle    *Throttle              // DefaultRouteSettings; nil: not limited here
	Authorizers map[string]*Authorizer // those that a route asks for
	// Binary are the media types that a REST API takes for bytes, as image/png and */*.
	Binary []string

	auth              *yaml.Node
	defaultAuthorizer string
	routeSettings     *yaml.Node
}

// Prefix is what every path of the API begins with: "", or /stage.
func (a *API) Prefix() string {
	if a.Stage == DefaultStage {
		return ""
	}
	return "/" + a.Stage
}

// CORS is a CorsConfiguration.
type CORS struct {
	AllowOrigins     []string
	AllowMethods     []string
	AllowHeaders     []string
	ExposeHeaders    []string
	MaxAge           int // seconds; -1: not given
	AllowCredentials bool
}

// Throttle limits the requests of a route.
type Throttle struct {
	Rate  float64 // requests a second
	Burst int     // requests at once
}

// api returns the API of that name, read when a route first needs it.
func (r *resolver) api(id string, kind Kind) *API {
	if a := r.apiByID[id]; a != nil {
		return a
	}
	a := &API{LogicalID: id, Kind: kind, Stage: DefaultStage}
	r.apiByID[id] = a
	res := r.byID[id]
	if res == nil {
		res = &resource{id: id, key: &yaml.Node{}, value: &yaml.Node{Kind: yaml.MappingNode}}
	}
	p := r.properties(*res, string(kind))
	if kind == REST {
		a.Stage = "Prod"
	}
	if stage := r.optional(p, "StageName"); stage != "" {
		a.Stage = stage
	}
	a.Authorizers = map[string]*Authorizer{}
	a.auth = r.mapping(p, "Auth")
	a.defaultAuthorizer = r.optional(a.auth, "DefaultAuthorizer")
	if kind == REST {
		for _, mediaType := range r.textList(p, "BinaryMediaTypes") {
			a.Binary = append(a.Binary, strings.ToLower(strings.ReplaceAll(mediaType, "~1", "/"))) // as SAM reads them
		}
		return a
	}
	a.CORS = r.cors(p)
	a.Throttle = r.throttle(r.mapping(p, "DefaultRouteSettings"), nil)
	a.routeSettings = r.mapping(p, "RouteSettings")
	return a
}

func (r *resolver) cors(p *yaml.Node) *CORS {
	n, err := r.resolve(field(p, "CorsConfiguration"))
	r.fail(err)
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		// SAM takes true for "any origin", and nothing else.
		if r.boolean(p, "CorsConfiguration") {
			return &CORS{AllowOrigins: []string{"*"}, MaxAge: -1}
		}
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.fail(r.at(n, "CorsConfiguration is true or a mapping"))
		return nil
	}
	for _, p := range pairs(n) {
		switch p.name {
		case "AllowOrigins", "AllowMethods", "AllowHeaders", "ExposeHeaders", "MaxAge", "AllowCredentials":
		default:
			r.fail(r.at(p.key, "CorsConfiguration has no %s: it has AllowOrigins, AllowMethods, AllowHeaders, ExposeHeaders, MaxAge and AllowCredentials", p.name))
		}
	}
	return &CORS{
		AllowOrigins:     r.textList(n, "AllowOrigins"),
		AllowMethods:     r.textList(n, "AllowMethods"),
		AllowHeaders:     r.textList(n, "AllowHeaders"),
		ExposeHeaders:    r.textList(n, "ExposeHeaders"),
		MaxAge:           r.number(n, "MaxAge", -1, -1, 86400),
		AllowCredentials: r.boolean(n, "AllowCredentials"),
	}
}

// throttle reads ThrottlingRateLimit and ThrottlingBurstLimit; what is not given is
// the outer one's.
func (r *resolver) throttle(n *yaml.Node, outer *Throttle) *Throttle {
	rate, hasRate := r.fraction(n, "ThrottlingRateLimit")
	burst := r.number(n, "ThrottlingBurstLimit", -1, 0, 1<<30)
	if !hasRate && burst < 0 {
		return outer
	}
	t := Throttle{Rate: 10000, Burst: 5000} // an account's own (API Gateway, "http-api-quotas")
	if outer != nil {
		t = *outer
	}
	if hasRate {
		t.Rate = rate
	}
	if burst >= 0 {
		t.Burst = burst
	}
	return &t
}
