package lambda_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/shared/apptest"
)

// byHand is a process that does nothing: the test speaks the Runtime API in its place.
type byHand struct {
	t    *testing.T
	pool *lambda.Pool
	log  *logs
	addr string // of the Runtime API
}

// startByHand also invokes the first event, whose result comes later.
func startByHand(t *testing.T, inv lambda.Invocation) (*byHand, <-chan lambda.Result) {
	t.Helper()
	h, l := newHost(t, lambda.Options{ShutdownTimeout: time.Millisecond})
	p := newPool(t, h, lambda.Function{
		Command: []string{"/bin/sh", "-c", `echo "$AWS_LAMBDA_RUNTIME_API"; exec sleep 60`}, Timeout: time.Minute,
	})
	b := &byHand{t: t, pool: p, log: l}
	t.Cleanup(func() { // the process will not ask for another event, so do not wait for it
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.Close(ctx)
	})
	result := b.invoke(inv)
	b.waitForProcess(1)
	return b, result
}

// waitForProcess waits until so many processes have said where their Runtime API is.
func (b *byHand) waitForProcess(n int) {
	b.t.Helper()
	apptest.Eventually(b.t, "the address", func() bool {
		addresses := regexp.MustCompile(`(?m)^127\.0\.0\.1:\d+$`).FindAllString(b.log.text(""), -1)
		if len(addresses) < n {
			return false
		}
		b.addr = addresses[n-1]
		return true
	})
}

func (b *byHand) invoke(inv lambda.Invocation) <-chan lambda.Result {
	result := make(chan lambda.Result, 1)
	go func() {
		r, err := b.pool.Invoke(context.Background(), inv)
		if err != nil {
			b.t.Error(err)
		}
		result <- r
	}()
	return result
}

func (b *byHand) url(path string) string { return "http://" + b.addr + "/2018-06-01/runtime/" + path }

// do sends a request, and wants the status.
func (b *byHand) do(method, path, body string, status int) apptest.Answer {
	b.t.Helper()
	got := apptest.Do(b.t, method, b.url(path), body, nil)
	if got.Status != status {
		b.t.Errorf("%s %s: %+v, not %d", method, path, got, status)
	}
	return got
}

func TestTheRuntimeAPI(t *testing.T) {
	b, first := startByHand(t, lambda.Invocation{
		RequestID: "one", TraceID: "Root=1-a-b", Payload: []byte(`{"n":1}`),
		ClientContext: `{"custom":{}}`, Identity: `{"cognitoIdentityId":"x"}`,
	})
	b.do("POST", "invocation/one/response", "too early", 400)
	before := time.Now()
	event := b.do("GET", "invocation/next", "", 200)
	if event.Body != `{"n":1}` {
		t.Errorf("the event is %s", event.Body)
	}
	for name, want := range map[string]string{
		"Content-Type":                        "application/json",
		"Lambda-Runtime-Aws-Request-Id":       "one",
		"Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:foo",
		"Lambda-Runtime-Trace-Id":             "Root=1-a-b",
		"Lambda-Runtime-Client-Context":       `{"custom":{}}`,
		"Lambda-Runtime-Cognito-Identity":     `{"cognitoIdentityId":"x"}`,
	} {
		if got := event.Header.Get(name); got != want {
			t.Errorf("%s: %q, not %q", name, got, want)
		}
	}
	ms, err := strconv.ParseInt(event.Header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if left := time.UnixMilli(ms).Sub(before); err != nil || left < 50*time.Second || left > 70*time.Second {
		t.Errorf("the deadline is in %v, %v", left, err)
	}

	b.refused("GET", "invocation/next", "", 403, "InvalidStateTransition")
	b.refused("POST", "init/error", "{}", 403, "InvalidStateTransition")
	b.refused("POST", "invocation/other/response", "1", 400, "InvalidRequestID")
	b.refused("POST", "invocation/other/error", "{}", 400, "InvalidRequestID")
	b.do("GET", "invocation/one/response", "", 405)
	b.do("GET", "no/such/path", "", 404)
	if ok := b.do("POST", "invocation/one/response", `"answer"`, 202); ok.Body != `{"status":"OK"}`+"\n" {
		t.Errorf("accepted with %q", ok.Body)
	}
	if r := <-first; string(r.Payload) != `"answer"` || r.RequestID != "one" || r.FunctionError != "" {
		t.Errorf("the result is %+v", r)
	}
	b.refused("POST", "invocation/one/response", "again", 403, "InvalidStateTransition")

	second := b.invoke(lambda.Invocation{RequestID: "two"})
	b.do("GET", "invocation/next", "", 200)
	b.refused("POST", "invocation/one/response", "much too late", 400, "InvalidRequestID")
	b.do("POST", "invocation/two/error", `{"errorType":"Mine","errorMessage":"no"}`, 202)
	if r := <-second; r.FunctionError != "Unhandled" || r.ErrorType != "Mine" || string(r.Payload) != `{"errorType":"Mine","errorMessage":"no"}` {
		t.Errorf("the result is %+v", r)
	}
}

// refused sends what must be refused, in the Runtime API's own form.
func (b *byHand) refused(method, path, body string, status int, errorType string) {
	b.t.Helper()
	if got := b.do(method, path, body, status); !strings.HasPrefix(got.Body, `{"errorType":"`+errorType+`","errorMessage":"`) {
		b.t.Errorf("%s %s: %s, not %s", method, path, got.Body, errorType)
	}
}

func TestAnswersToTheRuntimeAPI(t *testing.T) {
	large := strings.Repeat("x", lambda.MaxResponse+1)
	for _, tt := range []struct {
		name, request string // the request as it is sent, after its path
		path          string
		status        int
		errorType     string
		payload       string
	}{
		{"a length", "Content-Length: 2\r\n\r\n{}", "response", 202, "", "{}"},
		{"chunks", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", "response", 202, "", "{}"},
		{"chunks in streaming mode", "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", "response", 202, "", "{}"},
		{"another mode", "Lambda-Runtime-Function-Response-Mode: other\r\nContent-Length: 2\r\n\r\n{}", "response", 400, "Runtime.InvalidResponseModeHeader", ""},
		{"an error in the trailers", "Transfer-Encoding: chunked\r\nTrailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n1\r\n{\r\n0\r\n" +
			"Lambda-Runtime-Function-Error-Type: Late\r\nLambda-Runtime-Function-Error-Body: eyJhIjoxfQ==\r\n\r\n", "response", 202, "Late", `{"a":1}`},
		{"an error in the trailers without a body", "Transfer-Encoding: chunked\r\nTrailer: Lambda-Runtime-Function-Error-Type\r\n\r\n0\r\nLambda-Runtime-Function-Error-Type: Late\r\n\r\n", "response", 202, "Late", ""},
		{"too large", fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(large), large), "response", 413, "Function.ResponseSizeTooLarge", ""},
		{"too large, in chunks", fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(large), large), "response", 413, "Function.ResponseSizeTooLarge", ""},
		{"broken off", "Content-Length: 20\r\n\r\n{}", "response", 0, "Runtime.TruncatedResponse", ""},
		{"bad chunks", "Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}", "response", 400, "Runtime.TruncatedResponse", ""},
		{"an error by its header", "Lambda-Runtime-Function-Error-Type: Function.Mine\r\nContent-Length: 2\r\n\r\n{}", "error", 202, "Function.Mine", "{}"},
		{"an error without a type", "Content-Length: 4\r\n\r\noops", "error", 202, "Runtime.Unknown", "oops"},
		{"an error without a word", "Content-Length: 0\r\n\r\n", "error", 202, "Runtime.Unknown", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, result := startByHand(t, lambda.Invocation{RequestID: "id"})
			b.do("GET", "invocation/next", "", 200)
			conn, err := net.Dial("tcp", b.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := fmt.Fprintf(conn, "POST /2018-06-01/runtime/invocation/id/%s HTTP/1.1\r\nHost: x\r\n%s", tt.path, tt.request); err != nil {
				t.Fatal(err)
			}
			if tt.status == 0 {
				_ = conn.Close()
			} else if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
				t.Error(err)
			} else {
				defer res.Body.Close()
				if res.StatusCode != tt.status {
					t.Errorf("status %d, not %d", res.StatusCode, tt.status)
				}
			}
			r := <-result
			if r.ErrorType != tt.errorType || (r.FunctionError != "") != (tt.errorType != "") {
				t.Errorf("the error is %q %q, not %q", r.FunctionError, r.ErrorType, tt.errorType)
			}
			if tt.payload != "" && string(r.Payload) != tt.payload {
				t.Errorf("the payload is %s, not %s", r.Payload, tt.payload)
			}
		})
	}
}

func TestAProcessMayAskAgainForItsEvent(t *testing.T) {
	b, first := startByHand(t, lambda.Invocation{RequestID: "one"})
	b.do("GET", "invocation/next", "", 200)
	b.do("POST", "invocation/one/response", "1", 202)
	<-first
	for range 3 { // as a client does whose read times out
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url("invocation/next"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := http.DefaultClient.Do(r); err == nil {
			_ = res.Body.Close()
			t.Error("there was an event")
		}
		cancel()
	}
	second := b.invoke(lambda.Invocation{RequestID: "two", Payload: []byte("2")})
	if event := b.do("GET", "invocation/next", "", 200); event.Body != "2" {
		t.Errorf("the event is %q", event.Body)
	}
	b.do("POST", "invocation/two/response", "2", 202)
	if r := <-second; string(r.Payload) != "2" {
		t.Errorf("%+v", r)
	}
}

func TestAProcessThatSaysThatItCannotStart(t *testing.T) {
	b, result := startByHand(t, lambda.Invocation{RequestID: "ID"})
	b.do("POST", "init/error", `{"errorType":"Runtime.NoConfig","errorMessage":"first"}`, 202)
	b.waitForProcess(2) // it has been ended, and another has been started
	b.do("POST", "init/error", `{"errorType":"Runtime.NoConfig","errorMessage":"second"}`, 202)
	r := <-result
	if r.ErrorType != "Runtime.NoConfig" || string(r.Payload) != `{"errorType":"Runtime.NoConfig","errorMessage":"second"}` {
		t.Errorf("%+v", r)
	}
	if log := b.log.report(t, "ID"); strings.Count(log, "Status: error\tError Type: Runtime.NoConfig") != 3 {
		t.Errorf("the log is\n%s", log)
	}
}

func TestExtensionsOfTheRuntime(t *testing.T) {
	b, _ := startByHand(t, lambda.Invocation{})
	url := "http://" + b.addr + "/2020-01-01/extension/"
	got := apptest.Do(t, http.MethodPost, url+"register", `{"events":[]}`, nil)
	if got.Status != 200 || got.Header.Get("Lambda-Extension-Identifier") == "" || got.Body != `{"functionName":"foo","functionVersion":"$LATEST","handler":"bootstrap"}` {
		t.Errorf("%+v", got)
	}
	for _, body := range []string{`{"events":["INVOKE"]}`, `{`} {
		if got := apptest.Do(t, http.MethodPost, url+"register", body, nil); got.Status != 403 {
			t.Errorf("%s: %+v", body, got)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"event/next", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(r); err == nil {
		_ = res.Body.Close()
		t.Error("an event for an extension without any")
	}
}
