package gateway

import (
	"net/http"
	"time"

	"github.com/tandem-api/tandem/localhost/template"
)

// The rules of API Gateway and Lambda, each with where it is from: the page of AWS's
// documentation by its file name, or (?) where it is a measurement of others or a
// conflict between sources. One measured anew against the real service is changed
// here, and nowhere else.

const (
	// A body at the gateway ("http-api-quotas").
	maxBody = 10 << 20
	// The request line and the headers together ("http-api-quotas").
	maxHead = 10240
	// MaxPayload bounds an event, and an answer, as JSON with its base64 ("gettingstarted-limits").
	MaxPayload = 6 << 20

	// A preflight's status (?).
	preflightStatus = http.StatusNoContent
	// The gateway's own error answers get the configured CORS headers too (?).
	corsOnErrors = true
	// /files/{path+} takes /files/ too, with an empty path (?).
	greedyTakesNothing = true
	// A Lambda authorizer's own time-out ("http-api-quotas", "limits" of a REST API).
	authorizerWait = 10 * time.Second

	// An x-forwarded-for of the client is kept, and the client's address added (?).
	forwardedForAdds = true
)

// rules are what HTTP APIs and REST APIs do differently.
type rules struct {
	requestID string // the header with the request's id
	unknown   refusal
	failed    refusal // the function returned an error, panicked, exited, or ran out of its own time
	late      refusal // the gateway waits no longer; the function goes on
	denied    refusal // an authorizer says no
	notNamed  refusal // an authorizer's policy does not say yes
	unsure    refusal // an authorizer failed, or gave no answer that is one
}

var (
	// HTTP APIs: "http-api-develop-routes" for an unknown route, and the same for
	// an unknown method (inferred); "http-api-troubleshooting-lambda" for a failed
	// function, the status (?); captures for a late one; "http-api-troubleshooting-jwt"
	// for the header.
	httpRules = rules{
		requestID: "Apigw-Requestid",
		unknown:   refusal{http.StatusNotFound, "Not Found"},
		failed:    refusal{http.StatusInternalServerError, "Internal Server Error"},
		late:      refusal{http.StatusServiceUnavailable, "Service Unavailable"},
		denied:    forbidden,
		notNamed:  forbidden,
		unsure:    refusal{http.StatusInternalServerError, "Internal Server Error"}, // (?)
	}
	// REST APIs: "supported-gateway-response-types" and "handle-errors-in-lambda-integration";
	// the words of its authorizers (?).
	restRules = rules{
		requestID: "X-Amzn-Requestid",
		unknown:   refusal{http.StatusForbidden, "Missing Authentication Token"},
		failed:    refusal{http.StatusBadGateway, "Internal server error"},
		late:      refusal{http.StatusGatewayTimeout, "Endpoint request timed out"},
		denied:    refusal{http.StatusForbidden, `{"Message":"User is not authorized to access this resource with an explicit deny"}`},
		notNamed:  refusal{http.StatusForbidden, `{"Message":"User is not authorized to access this resource"}`},
		unsure:    refusal{http.StatusInternalServerError, `{"message":null}`},
	}

	headTooLarge    = refusal{http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large"} // (?)
	bodyTooLarge    = refusal{http.StatusRequestEntityTooLarge, "Request Entity Too Large"}              // (?)
	badRequest      = refusal{http.StatusBadRequest, "Bad Request"}                                      // (?)
	tooManyRequests = refusal{http.StatusTooManyRequests, "Too Many Requests"}                           // "http-api-throttling"
	unauthorized    = refusal{http.StatusUnauthorized, "Unauthorized"}                                   // "http-api-jwt-authorizer"
	forbidden       = refusal{http.StatusForbidden, "Forbidden"}                                         // (?)
)

func rulesOf(kind template.Kind) *rules {
	if kind == template.REST {
		return &restRules
	}
	return &httpRules
}

// signatures are how a JWT may be signed: "only RSA-based algorithms are supported"
// ("http-api-jwt-authorizer"), of which there are also PS256 and its like (?).
var signatures = []string{"RS256", "RS384", "RS512"}

// anyMethod are the methods that a route can have ("http-api-develop-routes"); a
// request of another finds no route, not even one for ANY (?).
var anyMethod = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
	http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// hopByHop says which headers end at the gateway, in both directions (RFC 9110,
// section 7.6.1).
func hopByHop(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// isText says whether a body of that media type stands in an event as it is, not in
// base64 (?).
func isText(mediaType string) bool {
	switch mediaType {
	case "application/json", "application/xml", "application/javascript":
		return true
	}
	return len(mediaType) > 5 && mediaType[:5] == "text/"
}
