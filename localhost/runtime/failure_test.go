package lambda_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/shared/apptest"
)

func TestFailures(t *testing.T) {
	type function = lambda.Function
	start := func(how string) function { return function{Env: map[string]string{"AT_START": how}} }
	for _, tt := range []struct {
		name      string
		function  function
		event     string
		errorType string
		payload   string // a pattern
		log       string // a pattern
	}{
		{
			"an error", function{}, `{"do":"error","text":"no such thing"}`,
			"errorString", `{"errorMessage":"no such thing","errorType":"errorString"}`,
			`(?s)START.*no such thing.*END.*REPORT`,
		},
		{
			"a panic", function{}, `{"do":"panic","text":"oh"}`,
			"string", `{"errorMessage":"oh","errorType":"string","stackTrace":\[.*`,
			`(?s)START.*"errorMessage":"oh".*END.*REPORT .*\tStatus: error\tError Type: Runtime.ExitError\n`,
		},
		{
			"an exit", function{}, `{"do":"exit","n":3}`,
			"Runtime.ExitError", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 3"}`,
			`(?s)RequestId: ID Error: Runtime exited with error: exit status 3\nRuntime.ExitError\nEND.*Status: error\tError Type: Runtime.ExitError`,
		},
		{
			"an exit without an error", function{}, `{"do":"exit"}`,
			"Runtime.ExitError", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited without providing a reason"}`, "",
		},
		{
			"a time-out", function{Timeout: 250 * time.Millisecond}, `{"do":"hang"}`,
			"Sandbox.Timedout", `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 0.25 seconds"}`,
			`(?s)\n\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.\d{3}Z ID Task timed out after 0.25 seconds\nEND RequestId: ID\nREPORT RequestId: ID\tDuration: 250.00 ms\t.*\tStatus: timeout\n`,
		},
		{
			"too much memory", function{MemoryMB: 64, Timeout: time.Minute}, `{"do":"allocate","n":100}`,
			"Runtime.OutOfMemory", `{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: ID Error: Runtime exited with error: signal: killed"}`,
			`(?s)Memory Size: 64 MB\tMax Memory Used: 64 MB\t.*Status: error\tError Type: Runtime.OutOfMemory`,
		},
		{
			"a child with too much memory", function{MemoryMB: 64, Timeout: time.Minute}, `{"do":"child","n":100}`,
			"Runtime.OutOfMemory", `{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: ID Error: Runtime exited with error: signal: killed"}`, "",
		},
		{
			"an answer too large", function{}, `{"do":"size","n":6291557}`,
			"Function.ResponseSizeTooLarge", `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":".*Response payload size \(6291557 bytes\) exceeded maximum allowed payload size \(6291556 bytes\)\."}`, "",
		},
		{
			"an exit at the start", start("exit"), `{}`,
			"Runtime.ExitError", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 3"}`,
			`(?s)^about to exit\nINIT_REPORT Init Duration: .* ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n` +
				`about to exit\nINIT_REPORT Init Duration: .* ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n` +
				`START RequestId: ID .*END.*REPORT`,
		},
		{
			"no end of the start", function{Timeout: 200 * time.Millisecond, Env: map[string]string{"AT_START": "hang"}}, `{}`,
			"Sandbox.Timedout", `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 0.20 seconds"}`,
			`(?s)INIT_REPORT Init Duration: .* ms\tPhase: init\tStatus: timeout\n.*Phase: invoke\tStatus: timeout\n`,
		},
		{
			"no bootstrap", function{Command: []string{"/no/such/bootstrap"}, TaskRoot: "/"}, `{}`,
			"Runtime.InvalidEntrypoint", `{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: ID Error: fork/exec /no/such/bootstrap: no such file or directory"}`,
			`(?s)Phase: init\tStatus: error\tError Type: Runtime.InvalidEntrypoint\n`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := lambda.Options{}
			if tt.function.Env["AT_START"] == "hang" {
				o.InitTimeout = 100 * time.Millisecond
			}
			h, l := newHost(t, o)
			p := newPool(t, h, tt.function)
			r, err := p.Invoke(t.Context(), lambda.Invocation{RequestID: "ID", Payload: []byte(tt.event)})
			if err != nil {
				t.Fatal(err)
			}
			if r.FunctionError != "Unhandled" || r.ErrorType != tt.errorType {
				t.Errorf("%q %q, not %q", r.FunctionError, r.ErrorType, tt.errorType)
			}
			if !regexp.MustCompile("^(?:" + tt.payload + ")$").Match(r.Payload) {
				t.Errorf("the payload is\n%s\nnot\n%s", r.Payload, tt.payload)
			}
			if log := l.report(t, "ID"); !regexp.MustCompile(tt.log).MatchString(log) {
				t.Errorf("the log is\n%s\nnot\n%s", log, tt.log)
			}
		})
	}
}

func TestAStartThatFailsOnceIsTriedAgain(t *testing.T) {
	for name, how := range map[string]string{"an exit": "exit-once", "no end": "hang-once"} {
		t.Run(name, func(t *testing.T) {
			h, l := newHost(t, lambda.Options{InitTimeout: 2 * time.Second})
			p := newPool(t, h, lambda.Function{Env: map[string]string{"AT_START": how}, Timeout: time.Minute})
			r, err := p.Invoke(t.Context(), lambda.Invocation{RequestID: "ID", Payload: []byte(`{"do":"echo"}`)})
			if err != nil || r.FunctionError != "" {
				t.Fatalf("%s %v", r.Payload, err)
			}
			if log := l.report(t, "ID"); strings.Count(log, "INIT_REPORT") != 1 || strings.Contains(log, "ms\tInit Duration") {
				t.Errorf("the log is\n%s", log)
			}
		})
	}
}

func TestAfterAFailureTheNextEventHasANewProcess(t *testing.T) {
	for _, tt := range []struct {
		name, event string
		same        bool
	}{
		{"an error ends nothing", `{"do":"error","text":"no"}`, true},
		{"a panic", `{"do":"panic"}`, false},
		{"an exit", `{"do":"exit"}`, false},
		{"a time-out", `{"do":"hang"}`, false},
		{"too much memory", `{"do":"allocate","n":200}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, _ := newHost(t, lambda.Options{})
			p := newPool(t, h, lambda.Function{Reserved: new(1), Timeout: 2 * time.Second})
			var before, after, count int
			answer(t, p, `{"do":"pid"}`, &before)
			answer(t, p, `{"do":"count"}`, &count)
			if r := invoke(t, p, tt.event); r.FunctionError == "" {
				t.Fatalf("no failure: %s", r.Payload)
			}
			answer(t, p, `{"do":"pid"}`, &after)
			if same := before == after; same != tt.same {
				t.Errorf("the same process: %v", same)
			}
			if !tt.same && running(before) {
				t.Error("the process still runs")
			}
			answer(t, p, `{"do":"count"}`, &count)
			if count != 2 {
				t.Errorf("the temporary folder has not survived: %d", count)
			}
		})
	}
}

func TestAProcessThatEndsBetweenEventsIsReplaced(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{})
	var before, after int
	answer(t, p, `{"do":"pid"}`, &before)
	apptest.Eventually(t, "the process to be idle", func() bool { return p.Stats().Idle == 1 })
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	apptest.Eventually(t, "a new process", func() bool {
		// An event may still come to the old one before its end is known.
		r := invoke(t, p, `{"do":"pid"}`)
		return r.FunctionError == "" && json.Unmarshal(r.Payload, &after) == nil && after != before
	})
	if s := p.Stats(); s.Busy+s.Idle != 1 {
		t.Errorf("%+v", s)
	}
}

func TestNothingThatAFunctionHasStartedOutlivesIt(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{Timeout: 2 * time.Second})
	var child int
	answer(t, p, `{"do":"spawn"}`, &child)
	if !running(child) {
		t.Fatal("no child")
	}
	invoke(t, p, `{"do":"hang"}`)
	apptest.Eventually(t, "the child to end", func() bool { return !running(child) })
}

func TestAnEventThatIsTooLargeIsRefused(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{Timeout: time.Minute, MemoryMB: 512})
	fits := `{"do":"print","text":"` + strings.Repeat("x", lambda.MaxPayload-24) + `"}`
	fits = fits[:len(fits)-2] + strings.Repeat("x", lambda.MaxPayload-len(fits)) + fits[len(fits)-2:]
	if r := invoke(t, p, fits); len(fits) != lambda.MaxPayload || r.FunctionError != "" {
		t.Errorf("%d bytes: %s", len(fits), r.Payload)
	}
	_, err := p.Invoke(t.Context(), lambda.Invocation{Payload: []byte(fits + " ")})
	if err == nil || err.Error() != "an event of 6291457 bytes: the limit is 6291456" {
		t.Errorf("one byte more: %v", err)
	}
	r := invoke(t, p, `{"do":"size","n":6291556}`)
	if r.FunctionError != "" || len(r.Payload) != lambda.MaxResponse {
		t.Errorf("the largest answer: %d bytes, %s", len(r.Payload), r.ErrorType)
	}
}
