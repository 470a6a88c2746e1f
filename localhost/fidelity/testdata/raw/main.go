// Command raw is a function without any adapter: it answers with the text of the
// request's body, as JSON, or where it is not told so with the event itself.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(answer) }

func answer(_ context.Context, event json.RawMessage) (json.RawMessage, error) {
	var request struct {
		Body            string
		IsBase64Encoded bool
		Query           map[string]string `json:"queryStringParameters"`
	}
	if err := json.Unmarshal(event, &request); err != nil {
		return nil, err
	}
	switch request.Query["raw"] {
	case "error":
		return nil, errors.New("an inner secret")
	case "panic":
		panic("an inner secret")
	case "answer":
		if request.IsBase64Encoded {
			decoded, err := base64.StdEncoding.DecodeString(request.Body)
			return decoded, err
		}
		return json.RawMessage(request.Body), nil
	}
	return json.Marshal(map[string]any{
		"statusCode": 200, "headers": map[string]string{"Content-Type": "application/json"}, "body": string(event),
	})
}
