package lambda

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// failure is why an event, or the start of a process, came to nothing.
type failure struct {
	errorType string
	message   string
	payload   []byte // the function's own words, where it had some
}

func timedOut(after time.Duration) *failure {
	return &failure{errorType: ErrorTypeTimeout, message: fmt.Sprintf("Task timed out after %.2f seconds", after.Seconds())}
}

// exited puts the end of a process into Lambda's words.
func exited(state *os.ProcessState) *failure {
	f := &failure{errorType: ErrorTypeExit, message: "Runtime exited without providing a reason"}
	if state != nil && !state.Success() {
		f.message = "Runtime exited with error: " + state.String()
	}
	return f
}

func outOfMemory() *failure {
	return &failure{errorType: ErrorTypeMemory, message: "Runtime exited with error: signal: killed"}
}

// result is what the caller of the event gets.
func (f *failure) result(requestID string) Result {
	payload := f.payload
	if payload == nil {
		payload, _ = json.Marshal(errorPayload{ // strings only: it cannot fail
			Type:    f.errorType,
			Message: "RequestId: " + requestID + " Error: " + f.message,
		})
	}
	return Result{
		RequestID: requestID, Payload: payload, ContentType: "application/json",
		FunctionError: functionErrorMessage, ErrorType: f.errorType,
	}
}

// lines is what the log says of it.
func (f *failure) lines(requestID string, now time.Time) []string {
	switch {
	case f.errorType == ErrorTypeTimeout:
		return []string{now.UTC().Format("2006-01-02T15:04:05.000Z") + " " + requestID + " " + f.message}
	case f.payload != nil:
		return nil // the function has said it all
	}
	return []string{"RequestId: " + requestID + " Error: " + f.message, f.errorType}
}

// status is the end of a REPORT line.
func (f *failure) status() string {
	if f.errorType == ErrorTypeTimeout {
		return "Status: timeout"
	}
	return "Status: error\tError Type: " + f.errorType
}

// errorPayload is the JSON in which Lambda and the runtimes put a failure.
type errorPayload struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}
