package lambdahttp

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/tandem-api/tandem/shared/function"
)

// either answers an event of a function that takes others than requests too.
func either(ctx context.Context, event json.RawMessage, invoke Handler, take function.EventHandler) (any, error) {
	var request events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(event, &request); err == nil && request.RequestContext.HTTP.Method != "" {
		return invoke(ctx, request)
	}
	if c, ok := lambdacontext.FromContext(ctx); ok {
		ctx = function.WithRequest(ctx, c.AwsRequestID, c.AwsRequestID)
	}
	return take(ctx, event)
}
