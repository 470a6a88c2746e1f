package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// apiError is an error of the Invoke API in AWS's form.
type apiError struct {
	status  int
	code    string // the exception's name
	message string
	reason  string // for one that was throttled
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func refusal(status int, code, message string) *apiError {
	return &apiError{status: status, code: code, message: message}
}

// apiErrorOf puts an error into the API's words. The client learns no other.
func apiErrorOf(err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*TooLargeError](err); ok {
		return refusal(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException",
			fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", e.Limit))
	}
	busy := &apiError{http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.", "ConcurrentInvocationLimitExceeded"}
	if e, ok := errors.AsType[*ThrottledError](err); ok {
		if e.Reserved {
			busy.reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
		}
		return busy
	}
	if errors.Is(err, ErrQueueFull) {
		return busy
	}
	return refusal(http.StatusInternalServerError, "ServiceException", "The service encountered an internal error.")
}

func (e *apiError) write(w http.ResponseWriter) {
	body := map[string]string{"Type": "User"}
	// The API's model spells this member in two ways, and the SDKs follow it.
	switch e.code {
	case "ResourceNotFoundException", "ServiceException":
		body["Message"] = e.message
	default:
		body["message"] = e.message
	}
	if e.status >= http.StatusInternalServerError {
		body["Type"] = "Service"
	}
	if e.reason != "" {
		body["Reason"] = e.reason
	}
	text, _ := json.Marshal(body) // strings only: it cannot fail
	w.Header().Set("X-Amzn-Errortype", e.code)
	writeJSON(w, e.status, string(text))
}
