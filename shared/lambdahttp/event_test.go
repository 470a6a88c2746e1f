package lambdahttp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/shared/apptest"
)

// A function that takes events answers requests too, and outlives what goes wrong.
func TestStartTakesEventsThatAreNoRequests(t *testing.T) {
	rt := apptest.NewRuntime(t)
	p := start(t, rt, "one that takes events")
	for _, c := range []struct {
		name, event, answer, fails string
	}{
		{"an event", `{"do":"work"}`, `{"deadline":true,"did":"work","trace":"00000000-0000-4000-8000-000000000001"}`, ""},
		{"one that fails", `{"do":"fail"}`, "", "out of luck"},
		{"one that panics", `{"do":"panic"}`, "", "panic: the key is missing"},
		{"what an HTTP API asks an authorizer", `{"version":"2.0","type":"REQUEST","routeArn":"arn:x","do":"authorize","requestContext":{"http":{"method":"GET"}}}`,
			`{"deadline":true,"did":"authorize","trace":"00000000-0000-4000-8000-000000000004"}`, ""},
		{"what a REST API asks an authorizer", `{"type":"REQUEST","methodArn":"arn:x","httpMethod":"GET","do":"authorize"}`,
			`{"deadline":true,"did":"authorize","trace":"00000000-0000-4000-8000-000000000005"}`, ""},
		{"the one question in the other's format", `{"type":"REQUEST","routeArn":"arn:x","httpMethod":"GET","do":"authorize"}`,
			`{"deadline":true,"did":"authorize","trace":"00000000-0000-4000-8000-000000000006"}`, ""},
		{"the other in the one's", `{"version":"2.0","type":"REQUEST","methodArn":"arn:x","do":"authorize","requestContext":{"http":{"method":"GET"}}}`,
			`{"deadline":true,"did":"authorize","trace":"00000000-0000-4000-8000-000000000007"}`, ""},
		{"one that is no object", `7`, "", "cannot unmarshal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := rt.Invoke([]byte(c.event))
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("%s, %v", got, err)
				}
				return
			}
			if err != nil || string(got) != c.answer {
				t.Errorf("%s, %v, want %s", got, err, c.answer)
			}
		})
	}
	body, err := rt.Invoke(apptest.Event(t, "GET /hello", httptest.NewRequest(http.MethodGet, "/hello", nil)))
	if err != nil {
		t.Fatal(err)
	}
	if a := answer(t, body); a.StatusCode != http.StatusOK || a.Body != "hello" {
		t.Errorf("the request: %s", body)
	}
	if out := p.Output(); !strings.Contains(out, `"msg":"event","duration"`) || !strings.Contains(out, `"function":"tested"`) {
		t.Errorf("the log:\n%s", out)
	}
}
