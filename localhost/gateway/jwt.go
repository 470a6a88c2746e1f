package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tandem-api/tandem/localhost/template"
)

// jwtGuard is a JWT authorizer ("http-api-jwt-authorizer"). Without the issuer's keys it
// checks all but the signature.
type jwtGuard struct {
	*template.Authorizer
	keys *keys // nil: there are none on this machine
}

func (g *jwtGuard) admit(c *call, r *http.Request) (refusal, bool) {
	c.challenge = "Bearer"
	text, ok := bearer(r, g.IdentitySource)
	if !ok {
		return unauthorized, false
	}
	claims := jwt.MapClaims{}
	if why := g.check(c, text, claims); why != "" {
		c.challenge = fmt.Sprintf(`Bearer error="invalid_token" error_description=%q`, why)
		return unauthorized, false
	}
	scopes := scopesOf(claims)
	if want := c.route.Scopes; len(want) > 0 && !slices.ContainsFunc(want, func(s string) bool { return slices.Contains(scopes, s) }) {
		c.challenge = `Bearer scope="` + strings.Join(want, " ") + `" error="insufficient_scope"`
		return forbidden, false
	}
	said := identity{Claims: texts(claims), Scopes: c.route.Scopes}
	if c.authorized = said; c.route.PayloadVersion != "1.0" {
		c.authorized = struct {
			JWT identity `json:"jwt"`
		}{said}
	}
	return refusal{}, true
}

// check reads the token's claims, and says what is wrong with it, "" for nothing.
func (g *jwtGuard) check(c *call, text string, claims jwt.MapClaims) string {
	token, _, err := jwt.NewParser().ParseUnverified(text, claims)
	if err != nil {
		return "the token is malformed"
	}
	if alg := token.Method.Alg(); !slices.Contains(signatures, alg) {
		return "signing method " + alg + " is invalid"
	}
	if g.keys != nil {
		if why := g.verify(c, text); why != "" {
			return why
		}
	}
	options := []jwt.ParserOption{jwt.WithExpirationRequired(), jwt.WithIssuer(g.Issuer), jwt.WithIssuedAt(), jwt.WithLeeway(0 * time.Second)}
	if err := jwt.NewValidator(options...).Validate(claims); err != nil {
		return "the token is expired, not valid yet, or of another issuer"
	}
	if !forAudience(claims, g.Audience) {
		return "the token has another audience"
	}
	return ""
}

// verify checks the signature.
func (g *jwtGuard) verify(c *call, text string) string {
	var missing error
	_, err := jwt.NewParser(jwt.WithValidMethods(signatures), jwt.WithoutClaimsValidation()).Parse(text, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		key, err := g.keys.find(context.WithoutCancel(c.request.Context()), kid)
		missing = err
		return key, err
	})
	switch {
	case errors.Is(missing, errNoKey):
		return "the issuer has no key of the token's kid"
	case missing != nil:
		c.log(slog.LevelWarn, "the issuer's keys could not be had", slog.String("issuer", g.Issuer), slog.Any("error", missing))
		return "OIDC discovery endpoint communication error" // "http-api-troubleshooting-jwt"
	case err != nil:
		return "the token's signature is invalid"
	}
	return ""
}

// identity is what a JWT says.
type identity struct {
	Claims map[string]string `json:"claims"`
	Scopes []string          `json:"scopes"`
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
