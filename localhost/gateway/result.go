package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// A structured answer without a content type gets this (?).
const defaultType = "text/plain; charset=utf-8"

// WriteResult answers the request with what a function has returned for its event, by
// the rules of the route's payload version. The request is the one that the gateway
// handed over. On an error nothing has been written, and the caller panics with
// http.ErrAbortHandler to have the gateway answer for a failed function.
func WriteResult(w http.ResponseWriter, r *http.Request, result []byte) error {
	c, ok := r.Context().Value(callKey{}).(*call)
	if !ok {
		return errors.New("the request has not come through the gateway")
	}
	if !json.Valid(result) {
		return errors.New("the function's answer is no JSON")
	}
	var out struct {
		Status   json.RawMessage            `json:"statusCode"`
		Headers  map[string]json.RawMessage `json:"headers"`
		All      map[string][]string        `json:"multiValueHeaders"`
		Cookies  []string                   `json:"cookies"`
		Body     *string                    `json:"body"`
		IsBase64 bool                       `json:"isBase64Encoded"`
	}
	structured := bytes.HasPrefix(bytes.TrimSpace(result), []byte("{"))
	if structured {
		var probe map[string]json.RawMessage
		if err := json.Unmarshal(result, &probe); err != nil {
			return fmt.Errorf("the function's answer: %w", err)
		}
		_, structured = probe["statusCode"]
	}
	two := c.route.PayloadVersion == "2.0"
	if !structured {
		if !two {
			return errors.New("the function's answer has no statusCode, which payload 1.0 demands")
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(result)
		return nil
	}
	if err := json.Unmarshal(result, &out); err != nil {
		return fmt.Errorf("the function's answer: %w", err)
	}
	var status int
	if err := json.Unmarshal(bytes.Trim(out.Status, `"`), &status); err != nil || status < 100 || status > 599 {
		return fmt.Errorf("the function's answer: statusCode is %s", out.Status)
	}
	var body []byte
	if out.Body != nil {
		body = []byte(*out.Body)
		if out.IsBase64 {
			var err error
			if body, err = base64.StdEncoding.DecodeString(*out.Body); err != nil {
				return fmt.Errorf("the function's answer: body: %w", err)
			}
		}
	}
	h := w.Header()
	for name, value := range out.Headers {
		h.Set(name, plain(value))
	}
	if two {
		for _, cookie := range out.Cookies {
			h.Add("Set-Cookie", cookie)
		}
	} else {
		for name, values := range out.All {
			h.Del(name)
			for _, value := range values {
				h.Add(name, value)
			}
		}
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", defaultType)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
	return nil
}

// plain is a header's value, which may be a number or a truth value.
func plain(value json.RawMessage) string {
	var text string
	if err := json.Unmarshal(value, &text); err == nil {
		return text
	}
	return strings.TrimSpace(string(value))
}
