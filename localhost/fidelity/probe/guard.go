package probe

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"

	"github.com/tandem-api/tandem/shared/function"
)

// question is what an API asks an authorizer, in any of its forms.
type question struct {
	Type      string          `json:"type"`
	RouteARN  string          `json:"routeArn"`
	MethodARN string          `json:"methodArn"`
	Identity  json.RawMessage `json:"identitySource"` // a list in 2.0, a text in 1.0
	Token     string          `json:"authorizationToken"`
	Headers   map[string]string
}

// key is what the client identifies itself by: a word says what the answer is.
func (q question) key() string {
	var list []string
	if json.Unmarshal(q.Identity, &list) == nil && len(list) > 0 {
		return list[0]
	}
	var one string
	if json.Unmarshal(q.Identity, &one) == nil && one != "" {
		return one
	}
	if q.Token != "" {
		return q.Token
	}
	for name, value := range q.Headers {
		if strings.EqualFold(name, "X-Key") {
			return value
		}
	}
	return ""
}

// guard makes the probe an authorizer too. Its answer is a simple one and a policy in
// one, of which an API takes what it asks for.
func guard(*function.App) (function.EventHandler, error) {
	return func(_ context.Context, event json.RawMessage) (any, error) {
		var q question
		if err := json.Unmarshal(event, &q); err != nil {
			return nil, err
		}
		word, _, _ := strings.Cut(q.key(), "-")
		resource, effect := "*", "Allow"
		switch word {
		case "allow":
		case "deny":
			effect = "Deny"
		case "elsewhere":
			resource = strings.Replace(q.RouteARN+q.MethodARN, "/GET/", "/DELETE/", 1)
		case "unauthorized":
			return nil, errors.New("Unauthorized")
		case "nothing":
			return map[string]any{}, nil
		default:
			return nil, errors.New("an inner secret")
		}
		return map[string]any{
			"isAuthorized": word == "allow",
			"principalId":  "ada",
			"policyDocument": map[string]any{"Version": "2012-10-17", "Statement": []any{
				map[string]any{"Action": "execute-api:Invoke", "Effect": effect, "Resource": []string{resource}},
			}},
			"context": map[string]any{"user": "ada", "level": 1, "asked": rand.Text()}, // by which a kept result is known
		}, nil
	}, nil
}
