package lambda_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/shared/apptest"
)

// newInvokeAPI serves two functions: foo, and busy, which takes no event at all. The
// URL is that of all functions.
func newInvokeAPI(t *testing.T) (url string, q *lambda.Queue) {
	t.Helper()
	h, _ := newHost(t, lambda.Options{})
	foo := newPool(t, h, lambda.Function{Name: "foo"})
	busy := newPool(t, h, lambda.Function{Name: "busy", Reserved: new(0)})
	q = lambda.NewQueue(lambda.QueueOptions{Limit: 2, Retries: []time.Duration{time.Hour}})
	t.Cleanup(func() { _, _ = q.Close(context.Background()) })
	api, err := lambda.NewInvokeAPI(slog.New(slog.DiscardHandler), q,
		lambda.Target{Names: []string{"foo", "FooFunction", "stack-foo"}, Invoke: foo.Invoke},
		lambda.Target{Names: []string{"busy"}, Invoke: busy.Invoke})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(api)
	t.Cleanup(s.Close)
	return s.URL + lambda.InvokePath, q
}

func TestTheInvokeAPI(t *testing.T) {
	url, _ := newInvokeAPI(t)
	const echo = `{"do":"echo"}`
	encode := base64.StdEncoding.EncodeToString
	for _, tt := range []struct {
		name     string
		function string // the path between "functions/" and "/invocations", and the query
		header   string // "Name: value"
		body     string
		status   int
		answer   string // the body, a pattern
		wants    string // headers "Name: pattern", a line each
	}{
		{"a folder's name", "foo", "", echo, 200, regexp.QuoteMeta(echo), "X-Amz-Executed-Version: \\$LATEST\nContent-Type: application/json\nX-Amzn-Requestid: .{36}"},
		{"a logical id", "FooFunction", "", echo, 200, regexp.QuoteMeta(echo), ""},
		{"a name with a qualifier", "foo:live", "", echo, 200, regexp.QuoteMeta(echo), ""},
		{"a part of an ARN", "123456789012:function:foo", "", echo, 200, regexp.QuoteMeta(echo), ""},
		{"an ARN", "arn:aws:lambda:us-east-1:123456789012:function:foo", "", echo, 200, regexp.QuoteMeta(echo), ""},
		{"an ARN, encoded, with a qualifier", "arn%3Aaws%3Alambda%3Aeu-west-1%3A111122223333%3Afunction%3Afoo%3A%24LATEST", "", echo, 200, regexp.QuoteMeta(echo), ""},
		{"two qualifiers that differ", "foo:a?Qualifier=b", "", echo, 400, `{"Type":"User","message":".*"}`, "X-Amzn-Errortype: InvalidParameterValueException"},
		{"an unknown name", "nope", "", echo, 404, `{"Message":"Function not found: arn:aws:lambda:us-east-1:123456789012:function:nope","Type":"User"}`, "X-Amzn-Errortype: ResourceNotFoundException"},
		{"no name at all", "%20", "", echo, 400, `{"Type":"User","message":".*"}`, "X-Amzn-Errortype: ValidationException"},
		{"no event", "foo", "", "", 200, `{"error.*`, ""},
		{"no JSON", "foo", "", "{", 400, `{"Type":"User","message":"Could not parse request body into json: unexpected end of JSON input"}`, "X-Amzn-Errortype: InvalidRequestContentException"},
		{"a large event", "foo", "", strings.Repeat(" ", lambda.MaxPayload+1), 413, `{"Type":"User","message":"Request must be smaller than 6291456 bytes for the InvokeFunction operation"}`, "X-Amzn-Errortype: RequestEntityTooLargeException"},
		{"a large event for later", "foo", "X-Amz-Invocation-Type: Event", strings.Repeat(" ", lambda.MaxAsyncPayload+1), 413, `{"Type":"User","message":"Request must be smaller than 1048576 .*"}`, ""},
		{"an error of the function", "foo", "", `{"do":"error","text":"no"}`, 200, `{"errorMessage":"no","errorType":"errorString"}`, "X-Amz-Function-Error: Unhandled"},
		{"a crash", "foo", "", `{"do":"exit"}`, 200, `{"errorType":"Runtime.ExitError",.*`, "X-Amz-Function-Error: Unhandled"},
		{"a busy function", "busy", "", echo, 429, `{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`, "X-Amzn-Errortype: TooManyRequestsException"},
		{"dry", "foo", "X-Amz-Invocation-Type: DryRun", `{"do":"exit"}`, 204, ``, ""},
		{"dry, for an unknown name", "nope", "X-Amz-Invocation-Type: DryRun", `{}`, 404, `.*`, ""},
		{"another type", "foo", "X-Amz-Invocation-Type: Later", echo, 400, `.*`, "X-Amzn-Errortype: InvalidParameterValueException"},
		{"with a client context", "foo", "X-Amz-Client-Context: " + encode([]byte(`{"custom":{"k":"v"}}`)), `{"do":"context"}`, 200, `.*"client":{"k":"v"}.*`, ""},
		{"with a bad client context", "foo", "X-Amz-Client-Context: " + encode([]byte(`{`)), echo, 400, `.*`, "X-Amzn-Errortype: InvalidRequestContentException"},
		{"with a trace", "foo", "X-Amzn-Trace-Id: Root=1-a-b", `{"do":"context"}`, 200, `.*"trace":"Root=1-a-b".*`, "X-Amzn-Trace-Id: Root=1-a-b"},
		{"from a page of another origin", "foo", "Origin: http://evil.example", echo, 403, `.*`, "X-Amzn-Errortype: AccessDeniedException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, query, _ := strings.Cut(tt.function, "?")
			header := http.Header{}
			if name, value, ok := strings.Cut(tt.header, ": "); ok {
				header.Set(name, value)
			}
			got := apptest.Do(t, http.MethodPost, url+path+"/invocations?"+query, tt.body, header)
			if got.Status != tt.status || !regexp.MustCompile("^"+tt.answer+"$").MatchString(got.Body) {
				t.Errorf("%d %s\nnot %d %s", got.Status, got.Body, tt.status, tt.answer)
			}
			for want := range strings.Lines(tt.wants) {
				name, pattern, _ := strings.Cut(strings.TrimSpace(want), ": ")
				if got := got.Header.Get(name); !regexp.MustCompile("^" + pattern + "$").MatchString(got) {
					t.Errorf("%s: %q, not %s", name, got, pattern)
				}
			}
		})
	}
	if got := apptest.Get(t, url+"foo/invocations"); got.Status != 404 {
		t.Errorf("GET: %+v", got)
	}
}

func TestTheLogOfAnInvocation(t *testing.T) {
	url, _ := newInvokeAPI(t)
	got := apptest.Do(t, http.MethodPost, url+"foo/invocations", printing("hello\n"), http.Header{"X-Amz-Log-Type": {"Tail"}})
	log, err := base64.StdEncoding.DecodeString(got.Header.Get("X-Amz-Log-Result"))
	if err != nil || !regexp.MustCompile(`(?s)START.*\nhello\nEND.*\nREPORT`).Match(log) {
		t.Errorf("%s %v", log, err)
	}
}

func TestAsynchronousInvocations(t *testing.T) {
	url, q := newInvokeAPI(t)
	invokeLater := func(event string) apptest.Answer {
		return apptest.Do(t, http.MethodPost, url+"foo/invocations", event, http.Header{"X-Amz-Invocation-Type": {"Event"}})
	}
	file := t.TempDir() + "/ran"
	if got := invokeLater(fmt.Sprintf(`{"do":"wait","file":%q,"unless":%[1]q}`, file)); got.Status != 202 || got.Body != "" || got.Header.Get("X-Amzn-Requestid") == "" {
		t.Errorf("%+v", got)
	}
	apptest.Eventually(t, "the event to run", func() bool { return exists(file) && q.Held() == 0 })
	for range 2 {
		invokeLater(`{"do":"error"}`) // which wait for their second attempt
	}
	if got := invokeLater(`{}`); got.Status != 429 {
		t.Errorf("the queue is full: %+v", got)
	}
	if lost, err := q.Close(t.Context()); lost != 2 || err != nil {
		t.Errorf("%d, %v", lost, err)
	}
	if got := invokeLater(`{}`); got.Status != 500 {
		t.Errorf("the queue is closed: %+v", got)
	}
}

func TestFunctionsOfOneName(t *testing.T) {
	_, err := lambda.NewInvokeAPI(nil, nil, lambda.Target{Names: []string{"foo", "Foo"}}, lambda.Target{Names: []string{"bar", "Foo"}})
	if err == nil || err.Error() != "two functions are called Foo: foo and bar" {
		t.Errorf("%v", err)
	}
	if _, err := lambda.NewInvokeAPI(nil, nil, lambda.Target{Names: []string{"foo", "foo"}}); err != nil {
		t.Error(err)
	}
}

// A user's own client is the judge.
func TestBoto3(t *testing.T) {
	python := need(t, "python3")
	if out, err := exec.Command(python, "-c", "import boto3").CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI lacks boto3: %s", out)
		}
		t.Skip("SKIPPED: boto3 is not installed")
	}
	url, q := newInvokeAPI(t)
	cmd := exec.Command(python, testdata(t, "invoke.py"), strings.TrimSuffix(url, lambda.InvokePath))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []json.RawMessage
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"status": 200, "payload": {"do": "echo"}, "log": true, "error": null, "version": "$LATEST", "id": true}`,
		`{"status": 200, "payload": {"do": "echo"}, "log": false, "error": null, "version": "$LATEST", "id": true}`,
		`{"status": 200, "payload": {"errorMessage": "no", "errorType": "errorString"}, "log": false, "error": "Unhandled", "version": "$LATEST", "id": true}`,
		`{"status": 202, "payload": null, "log": false, "error": null, "version": null, "id": true}`,
		`{"status": 204, "payload": null, "log": false, "error": null, "version": null, "id": true}`,
		`{"error": "ResourceNotFoundException", "code": "ResourceNotFoundException", "message": "Function not found: arn:aws:lambda:us-east-1:123456789012:function:bar"}`,
		`{"error": "TooManyRequestsException", "code": "TooManyRequestsException", "message": "Rate Exceeded."}`,
		`{"error": "InvalidRequestContentException", "code": "InvalidRequestContentException", "message": "Could not parse request body into json: invalid character 'o' in literal null (expecting 'u')"}`,
		`{"error": "ClientError", "code": "RequestEntityTooLargeException", "message": "Request must be smaller than 6291456 bytes for the InvokeFunction operation"}`,
		`{"status": 200, "version": "$LATEST", "payload": "{\"do\":\"echo\"}", "end": {"InvokeComplete": {}}}`,
		`{"status": 200, "version": "$LATEST", "payload": "", "end": {"InvokeComplete": {"ErrorCode": "Unhandled", "ErrorDetails": "{\"errorMessage\":\"no\",\"errorType\":\"errorString\"}"}}}`,
		`{"status": 200, "version": "$LATEST", "payload": "one ", "end": {"InvokeComplete": {"ErrorCode": "Unhandled", "ErrorDetails": "{\"errorMessage\":\"the stream broke\",\"errorType\":\"errorString\"}"}}}`,
	}
	for i, line := range want {
		if i >= len(got) || string(got[i]) != line {
			t.Errorf("%d: %s\nnot %s", i, got[i], line)
		}
	}
	apptest.Eventually(t, "the asynchronous event to run", func() bool { return q.Held() == 0 })
}
