package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/tandem-api/tandem/localhost/template"
)

// guard is an authorizer. It lets a request on to the function, and says what that shall
// know of it (call.authorized), or refuses it.
type guard interface {
	admit(c *call, r *http.Request) (refusal, bool)
}

// guard gives each route its authorizer, and says what of the template this machine does
// not check.
func (g *Gateway) guard(o Options, routes []*route) error {
	made := map[*template.Authorizer]guard{}
	var wrong []error
	for _, rt := range routes {
		a := rt.Auth
		if a == nil {
			continue
		}
		one, known := made[a]
		if !known {
			var err error
			if one, err = g.newGuard(o, a, rt.api); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: authorizer %s: %w", a.Position, a.Name, err))
			}
			made[a] = one
		}
		rt.guard = one
	}
	return errors.Join(append(wrong, unusedKeys(o.Keys, made))...)
}

func (g *Gateway) newGuard(o Options, a *template.Authorizer, of *api) (guard, error) {
	switch a.Type {
	case template.JWT:
		keys, err := newKeys(a.Issuer, o.Keys)
		if err != nil {
			return nil, err
		}
		if keys == nil {
			g.log.Warn("the signatures of tokens are NOT CHECKED on this machine: whoever calls can make one up. "+
				"`localhost serve -jwks "+a.Issuer+"=FILE` checks them by the issuer's keys", "authorizer", a.Name, "api", of.LogicalID)
		}
		return &jwtGuard{a, keys}, nil
	case template.Request, template.Token:
		return newLambdaGuard(o, a)
	}
	g.log.Warn("this authorizer does not run on this machine: its routes are OPEN", "authorizer", a.Name, "type", a.Type, "api", of.LogicalID)
	return nil, nil
}

// unusedKeys finds keys of an issuer that no authorizer asks for, which is a mistake.
func unusedKeys(keys map[string]string, made map[*template.Authorizer]guard) error {
	var issuers []string
	for a := range made {
		if a.Type == template.JWT && !slices.Contains(issuers, a.Issuer) {
			issuers = append(issuers, a.Issuer)
		}
	}
	slices.Sort(issuers)
	for issuer := range keys {
		if !slices.Contains(issuers, issuer) {
			return fmt.Errorf("no route has a JWT authorizer with the issuer %s; there are %q", issuer, issuers)
		}
	}
	return nil
}

// said is what an event has under requestContext.authorizer, as JSON.
func (c *call) said() json.RawMessage {
	text, err := json.Marshal(c.authorized)
	if err != nil {
		return nil
	}
	return text
}
