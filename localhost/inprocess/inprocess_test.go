package inprocess_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/localhost/inprocess"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/function"
)

// tested does what its event says.
var tested = function.Function{
	Name:   "tested",
	Routes: func(*function.App, chi.Router) error { return nil },
	Events: func(app *function.App) (function.EventHandler, error) {
		return func(ctx context.Context, event json.RawMessage) (any, error) {
			var e struct{ Do string }
			if err := json.Unmarshal(event, &e); err != nil {
				return nil, err
			}
			app.Log.With("step", 1).InfoContext(ctx, "at work")
			switch e.Do {
			case "fail":
				return nil, context.DeadlineExceeded
			case "wait":
				<-ctx.Done()
				return nil, ctx.Err()
			case "burst":
				return strings.Repeat("x", lambda.MaxResponse), nil
			}
			_, ok := ctx.Deadline()
			return map[string]any{"did": e.Do, "deadline": ok}, nil
		}, nil
	},
}

func invoker(t *testing.T, properties string) *inprocess.Function {
	t.Helper()
	described, err := template.Parse("template.yaml", []byte("Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {"+properties+"}}\n"), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	app := apptest.New(t).App
	app.Log = inprocess.Tailed(app.Log, app.Config)
	f, err := inprocess.New(app, tested, described.Function("F"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestInvoke(t *testing.T) {
	hurried, unhurried := invoker(t, "Timeout: 1"), invoker(t, "Timeout: 60") // a busy machine takes its time
	for _, c := range []struct{ name, event, want, failure string }{
		{"an answer", `{"do":"work"}`, `{"deadline":true,"did":"work"}`, ""},
		{"an error", `{"do":"fail"}`, `{"errorMessage":"context deadline exceeded","errorType":"deadlineExceededError"}`, "deadlineExceededError"},
		{"no such event", `7`, `{"errorMessage":"json: cannot unmarshal number`, "UnmarshalTypeError"},
		{"an answer that is too large", `{"do":"burst"}`, `Response payload size (6291558 bytes) exceeded maximum allowed payload size (6291556 bytes).`, "Function.ResponseSizeTooLarge"},
		{"a time-out", `{"do":"wait"}`, `Error: Task timed out after 1.00 seconds`, "Sandbox.Timedout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := unhurried
			if c.failure == "Sandbox.Timedout" {
				f = hurried
			}
			got, err := f.Invoke(t.Context(), lambda.Invocation{Payload: []byte(c.event)})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(got.Payload), c.want) || got.ErrorType != c.failure || (got.FunctionError != "") != (c.failure != "") || got.RequestID == "" {
				t.Errorf("%.300s, %q %q, id %q\nwant %s, %q", got.Payload, got.FunctionError, got.ErrorType, got.RequestID, c.want, c.failure)
			}
		})
	}
}

func TestInvokeTellsTheEndOfTheLog(t *testing.T) {
	f := invoker(t, "MemorySize: 512")
	got, err := f.Invoke(t.Context(), lambda.Invocation{Payload: []byte(`{"do":"work"}`), RequestID: "id-1", LogTail: true})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(got.LogTail)), "\n")
	if len(lines) < 4 || lines[0] != "START RequestId: id-1 Version: $LATEST" || !strings.Contains(lines[1], "at work") || !strings.Contains(lines[1], "step") ||
		lines[len(lines)-2] != "END RequestId: id-1" || !strings.Contains(lines[len(lines)-1], "Memory Size: 512 MB") {
		t.Errorf("the log:\n%s", got.LogTail)
	}
}

func TestInvokeRefuses(t *testing.T) {
	t.Run("an event that is too large", func(t *testing.T) {
		_, err := invoker(t, "Timeout: 1").Invoke(t.Context(), lambda.Invocation{Payload: make([]byte, lambda.MaxPayload+1)})
		if _, ok := errors.AsType[*lambda.TooLargeError](err); !ok {
			t.Error(err)
		}
	})
	t.Run("more than the reserved concurrency", func(t *testing.T) {
		f := invoker(t, "Timeout: 900, ReservedConcurrentExecutions: 1")
		ctx, leave := context.WithCancel(t.Context())
		leave() // the function goes on
		if _, err := f.Invoke(ctx, lambda.Invocation{Payload: []byte(`{"do":"wait"}`)}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		_, err := f.Invoke(t.Context(), lambda.Invocation{Payload: []byte(`{}`)})
		if e, ok := errors.AsType[*lambda.ThrottledError](err); !ok || !e.Reserved {
			t.Error(err)
		}
	})
}
