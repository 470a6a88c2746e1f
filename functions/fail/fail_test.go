package fail_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/functions/fail"
	"github.com/tandem-api/tandem/shared/apptest"
)

func TestTheClientSeesNothingOfTheInside(t *testing.T) {
	got := apptest.Get(t, apptest.New(t).Serve(fail.Function)+"/fail")
	if got.Status != http.StatusInternalServerError || got.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s", got.Status, got.Header)
	}
	var problem map[string]any
	if err := json.Unmarshal([]byte(got.Body), &problem); err != nil {
		t.Fatal(err)
	}
	if id, _ := problem["requestId"].(string); id == "" {
		t.Errorf("no requestId: %s", got.Body)
	}
	delete(problem, "requestId")
	if len(problem) != 3 || problem["type"] != "about:blank" || problem["title"] != "Internal Server Error" || problem["status"] != 500. {
		t.Errorf("more than is needed: %s", got.Body)
	}
}

func TestTheReportSaysWhere(t *testing.T) {
	app := apptest.New(t)
	got := apptest.Get(t, app.Serve(fail.Function)+"/fail?password=hunter2")
	var problem struct{ RequestID string }
	if err := json.Unmarshal([]byte(got.Body), &problem); err != nil {
		t.Fatal(err)
	}
	reports := app.Reports()
	if len(reports) != 1 {
		t.Fatalf("%d reports, want 1", len(reports))
	}
	r := reports[0]
	if r.Error.Class != "runtime.TypeAssertionError" || !strings.Contains(r.Error.Message, "interface {} is nil, not string") {
		t.Errorf("%s: %s", r.Error.Class, r.Error.Message)
	}
	if len(r.Error.Backtrace) == 0 || !strings.HasSuffix(r.Error.Backtrace[0].File, "functions/fail/fail.go") {
		t.Errorf("the stack begins at %+v, not in fail.go", r.Error.Backtrace)
	}
	if last := r.Error.Backtrace[len(r.Error.Backtrace)-1]; !strings.HasSuffix(last.File, "shared/function/handle.go") {
		t.Errorf("the stack ends at %+v, not where the handler was called", last)
	}
	if r.Request.Context["function"] != "fail" || r.Request.Context["requestId"] != problem.RequestID || problem.RequestID == "" {
		t.Errorf("context %v, want the function and the request's id %q", r.Request.Context, problem.RequestID)
	}
	if strings.Contains(r.Raw, "hunter2") {
		t.Errorf("the report shows a password: %s", r.Raw)
	}
}
