package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tandem-api/tandem/localhost/template"
)

// warn says, once for each authorizer, what this gateway does not check.
func (g *Gateway) warn(routes []*route) {
	warned := map[*template.Authorizer]bool{}
	for _, rt := range routes {
		a := rt.Auth
		if a == nil || warned[a] {
			continue
		}
		warned[a] = true
		if a.Type == "JWT" {
			g.log.Warn("the signatures of tokens are not checked on this machine", "authorizer", a.Name, "api", rt.api.LogicalID)
		} else {
			g.log.Warn("this authorizer does not run on this machine: its routes are open", "authorizer", a.Name, "type", a.Type, "api", rt.api.LogicalID)
		}
	}
}

// authorize holds a request against the route's JWT authorizer
// ("http-api-jwt-authorizer").
//
// The signature is not checked: the keys are at the issuer, somewhere in the network,
// and this is a machine to develop on. Whoever can reach the local host can make up a
// token that passes here, and not on AWS. All else is checked: form, exp, nbf, iat,
// issuer, audience and scopes.
func (c *call) authorize(r *http.Request) (refusal, bool) {
	a := c.route.Auth
	c.challenge = "Bearer"
	token, ok := bearer(r, a.IdentitySource)
	if !ok {
		return unauthorized, false
	}
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		return c.invalid("the token is malformed"), false
	}
	options := []jwt.ParserOption{jwt.WithExpirationRequired(), jwt.WithIssuer(a.Issuer), jwt.WithIssuedAt(), jwt.WithLeeway(0 * time.Second)}
	if err := jwt.NewValidator(options...).Validate(claims); err != nil {
		return c.invalid("the token is expired, not valid yet, or of another issuer"), false
	}
	if !forAudience(claims, a.Audience) {
		return c.invalid("the token has another audience"), false
	}
	scopes := scopesOf(claims)
	if want := c.route.Scopes; len(want) > 0 && !slices.ContainsFunc(want, func(s string) bool { return slices.Contains(scopes, s) }) {
		c.challenge = `Bearer scope="` + strings.Join(want, " ") + `" error="insufficient_scope"`
		return forbidden, false
	}
	c.identity = &identity{Claims: texts(claims), Scopes: c.route.Scopes}
	return refusal{}, true
}

func (c *call) invalid(why string) refusal {
	c.challenge = fmt.Sprintf(`Bearer error="invalid_token" error_description=%q`, why)
	return unauthorized
}

// bearer finds the token where the identity source says: $request.header.Name or
// $request.querystring.name. "Bearer " before it may be missing.
func bearer(r *http.Request, source string) (string, bool) {
	var value string
	if name, ok := strings.CutPrefix(source, "$request.querystring."); ok {
		value = r.URL.Query().Get(name)
	} else {
		value = r.Header.Get(strings.TrimPrefix(source, "$request.header."))
	}
	if len(value) > 7 && strings.EqualFold(value[:7], "Bearer ") {
		value = strings.TrimSpace(value[7:])
	}
	return value, value != ""
}

// forAudience demands one of the audiences in aud, or where there is none, in
// client_id.
func forAudience(claims jwt.MapClaims, audiences []string) bool {
	has, err := claims.GetAudience()
	if err != nil {
		return false
	}
	if len(has) == 0 {
		id, _ := claims["client_id"].(string)
		has = []string{id}
	}
	return slices.ContainsFunc(audiences, func(a string) bool { return slices.Contains(has, a) })
}

func scopesOf(claims jwt.MapClaims) []string {
	for _, name := range []string{"scope", "scp"} {
		switch v := claims[name].(type) {
		case string:
			return strings.Fields(v)
		case []any:
			var all []string
			for _, s := range v {
				all = append(all, fmt.Sprint(s))
			}
			return all
		}
	}
	return nil
}

// texts are the claims as an event has them: each a text, a list as [a b].
func texts(claims jwt.MapClaims) map[string]string {
	out := make(map[string]string, len(claims))
	for name, value := range claims {
		switch v := value.(type) {
		case string:
			out[name] = v
		case []any:
			out[name] = fmt.Sprint(v)
		default:
			text, _ := json.Marshal(v)
			out[name] = string(text)
		}
	}
	return out
}
