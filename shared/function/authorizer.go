package function

import (
	"context"
	"encoding/json"
	"fmt"
)

type authorizerKey struct{}

// WithAuthorizer tells a function what the API's authorizer has said of a request: what
// an event has under requestContext.authorizer, JSON. Whoever calls a function's handler
// sets it, as with WithRequest.
func WithAuthorizer(ctx context.Context, said json.RawMessage) context.Context {
	return context.WithValue(ctx, authorizerKey{}, said)
}

// Authorizer reads what the API's authorizer has said of the request into v, as
// encoding/json does, and says whether there was one. Its form is that of the event
// (AWS docs "http-api-develop-integrations-lambda"): {"jwt": {"claims", "scopes"}} or
// {"lambda": the context}; in payload format 1.0, which a REST API sends, the context's
// own members and principalId.
func Authorizer(ctx context.Context, v any) (bool, error) {
	said, ok := ctx.Value(authorizerKey{}).(json.RawMessage)
	if !ok {
		return false, nil
	}
	if err := json.Unmarshal(said, v); err != nil {
		return true, fmt.Errorf("read what the authorizer has said: %w", err)
	}
	return true, nil
}
