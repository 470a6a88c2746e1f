package main

import (
	"encoding/base64"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/tandem-api/tandem/shared/apptest"
)

func TestTheLambdaAPIInProcess(t *testing.T) {
	p := start(t, nil, "-workers", "0")
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:"
	path := func(name string) string { return p.url + "/2015-03-31/functions/" + name + "/invocations" }
	foo, fail := string(apptest.EventFile(t, "foo")), string(apptest.EventFile(t, "fail"))
	for _, c := range []struct {
		name, function, event string
		header                http.Header
		status                int
		want, failed          string // in the body; X-Amz-Function-Error
	}{
		{"by folder", "foo", foo, nil, 200, `"body":"{\"hello\":\"world\"`, ""},
		{"by logical id", "FooFunction", foo, nil, 200, `"statusCode":200`, ""},
		{"by ARN", arn + "FooFunction", foo, nil, 200, `"statusCode":200`, ""},
		{"an answer of 500 is no failure", "fail", fail, nil, 200, `"statusCode":500`, ""},
		{"not a request", "foo", `{"a":1}`, nil, 200, `"errorType":"errorString"`, "Unhandled"},
		{"a schedule's event", "work", `{"source":"aws.events"}`, nil, 200, `"jobs":0`, ""},
		{"none of that name", "nope", foo, nil, 404, "Function not found: " + arn + "nope", ""},
		{"no JSON", "foo", "{", nil, 400, "Could not parse request body into json", ""},
		{"later", "foo", foo, http.Header{"X-Amz-Invocation-Type": {"Event"}}, 202, "", ""},
		{"only asked", "foo", foo, http.Header{"X-Amz-Invocation-Type": {"DryRun"}}, 204, "", ""},
		{"from a page elsewhere", "foo", foo, http.Header{"Origin": {"https://example.com"}, "Sec-Fetch-Site": {"cross-site"}}, 403, "other origins", ""},
		{"through a proxy", "foo", foo, http.Header{"X-Forwarded-For": {"203.0.113.7"}}, 403, "programs of this machine only", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := apptest.Do(t, "POST", path(c.function), c.event, c.header)
			if got.Status != c.status || !strings.Contains(got.Body, c.want) || got.Header.Get("X-Amz-Function-Error") != c.failed {
				t.Errorf("%d %s, function error %q\nwant %d, %q and %q", got.Status, got.Body, got.Header.Get("X-Amz-Function-Error"), c.status, c.want, c.failed)
			}
		})
	}
	t.Run("with the log", func(t *testing.T) {
		got := apptest.Do(t, "POST", path("fail"), fail, http.Header{"X-Amz-Log-Type": {"Tail"}})
		log, err := base64.StdEncoding.DecodeString(got.Header.Get("X-Amz-Log-Result"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"START RequestId: ", "ERROR panic", "status=500", "END RequestId: ", "Memory Size: 256 MB"} {
			if !strings.Contains(string(log), want) {
				t.Errorf("the log lacks %q:\n%s", want, log)
			}
		}
	})
	t.Run("streamed", func(t *testing.T) {
		got := apptest.Do(t, "POST", p.url+"/2021-11-15/functions/fail/response-streaming-invocations", fail, nil)
		if got.Status != 200 || got.Header.Get("Content-Type") != "application/vnd.amazon.eventstream" ||
			!strings.Contains(got.Body, `"statusCode":500`) || !strings.Contains(got.Body, "InvokeComplete") {
			t.Errorf("%d %v %q", got.Status, got.Header, got.Body)
		}
	})
	t.Run("an event that nobody waits for runs", func(t *testing.T) {
		p.eventually(t, "foo has run for each event", func() bool { return strings.Count(p.stderr.String(), "path=/v1/foo") == 4 })
	})
	if code := p.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
}

func TestStoppingSaysHowManyEventsAreLost(t *testing.T) {
	p := start(t, nil, "-workers", "0")
	later := http.Header{"X-Amz-Invocation-Type": {"Event"}}
	apptest.Do(t, "POST", p.url+"/2015-03-31/functions/foo/invocations", `{"a":1}`, later) // it fails, and is tried again in a minute
	if code := p.stop(t, syscall.SIGTERM); code != 0 || !strings.Contains(p.stderr.String(), "1 asynchronous event ") {
		t.Errorf("exit %d\n%s", code, p.stderr)
	}
}
