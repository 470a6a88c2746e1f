package lambdahttp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// runtimeAPI names the variable that says where the Runtime API is, as host:port.
const runtimeAPI = "AWS_LAMBDA_RUNTIME_API"

// initError tells the Runtime API that the function cannot start (AWS Lambda,
// "runtimes-api", initialization error), so that whoever invokes it gets to see why.
func initError(ctx context.Context, api string, cause error) error {
	const kind = "Runtime.InitError"
	if api == "" {
		return nil
	}
	body, err := json.Marshal(map[string]any{"errorMessage": cause.Error(), "errorType": kind, "stackTrace": []string{}})
	if err != nil {
		return err
	}
	url := "http://" + api + "/2018-06-01/runtime/init/error"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Lambda-Runtime-Function-Error-Type", kind)
	answer, err := (&http.Client{Transport: &http.Transport{}}).Do(r) // never over a proxy
	if err != nil {
		return fmt.Errorf("tell the Runtime API: %w", err)
	}
	return answer.Body.Close()
}
