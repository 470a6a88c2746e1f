package lambda_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/shared/apptest"
)

func TestWhatAProcessSees(t *testing.T) {
	t.Setenv("SECRET_OF_THE_HOST", "x")
	h, _ := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{
		Name: "foo", Handler: "main", MemoryMB: 256, Region: "eu-central-1", AccountID: "111122223333",
		Env: map[string]string{"MINE": "a=b", "AWS_REGION": "not mine", "TZ": "Europe/Rome"},
	})
	var environ []string
	answer(t, p, `{"do":"environ"}`, &environ)
	want := []string{
		`AWS_DEFAULT_REGION=eu-central-1`, `AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256`, `AWS_LAMBDA_FUNCTION_NAME=foo`,
		`AWS_LAMBDA_FUNCTION_VERSION=\$LATEST`, `AWS_LAMBDA_INITIALIZATION_TYPE=on-demand`,
		`AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/foo`, `AWS_LAMBDA_LOG_STREAM_NAME=\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}`,
		`AWS_LAMBDA_RUNTIME_API=127\.0\.0\.1:\d+`, `AWS_REGION=eu-central-1`,
		`LAMBDA_RUNTIME_DIR=/var/runtime`, `LAMBDA_TASK_ROOT=` + regexp.QuoteMeta(filepath.Dir(bootstrap)),
		`MINE=a=b`, `PATH=` + regexp.QuoteMeta(path()), `TMPDIR=.+`, `TZ=Europe/Rome`, `_HANDLER=main`,
		`_X_AMZN_TRACE_ID=Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0`, // which its runtime sets
	}
	if got := strings.Join(environ, "\n"); !regexp.MustCompile("^" + strings.Join(want, "\n") + "$").MatchString(got) {
		t.Errorf("the variables are\n%s\nnot\n%s", got, strings.Join(want, "\n"))
	}
}

func TestTheContextOfAnEvent(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{Name: "foo", Timeout: 30 * time.Second})
	r, err := p.Invoke(t.Context(), lambda.Invocation{
		Payload: []byte(`{"do":"context"}`), RequestID: "id", TraceID: "Root=1-a-b",
		ClientContext: `{"custom":{"k":"v"}}`, Identity: `{"cognitoIdentityId":"c"}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"arn":"arn:aws:lambda:us-east-1:123456789012:function:foo","client":{"k":"v"},"group":"/aws/lambda/foo","identity":"c",` +
		`"left":(29\.\d+|30),"memory":128,"name":"foo","requestId":"id","stream":"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}","trace":"Root=1-a-b","version":"\$LATEST"}`
	if !regexp.MustCompile("^" + want + "$").Match(r.Payload) {
		t.Errorf("%s", r.Payload)
	}
}

func TestTemporaryFolders(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{Timeout: time.Minute})
	var count int
	for want := range 3 {
		if answer(t, p, `{"do":"count"}`, &count); count != want+1 {
			t.Errorf("event %d finds %d", want, count)
		}
	}
	let, done := hold(t, p)
	if answer(t, p, `{"do":"count"}`, &count); count != 1 {
		t.Errorf("another environment finds %d", count)
	}
	let()
	<-done
	var environ []string
	answer(t, p, `{"do":"environ"}`, &environ)
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, v := range environ {
		if dir, ok := strings.CutPrefix(v, "TMPDIR="); ok && exists(dir) {
			t.Error("the folder outlives the environment")
		}
	}
}

func TestFreeze(t *testing.T) {
	if !lambda.CanFreeze {
		t.Skip("SKIPPED: this system cannot freeze processes")
	}
	h, _ := newHost(t, lambda.Options{Freeze: true})
	p := newPool(t, h, lambda.Function{Timeout: time.Minute})
	file := filepath.Join(t.TempDir(), "ticks")
	var pid, again int
	answer(t, p, `{"do":"pid"}`, &pid)
	invoke(t, p, `{"do":"tick","file":"`+file+`"}`) // it goes on behind its answer
	apptest.Eventually(t, "the process to be frozen", func() bool { return stateOf(pid) == "T" })
	frozen := size(t, file) // what has been written behind the answer
	apptest.Eventually(t, "it to go on while it has an event", func() bool {
		if answer(t, p, `{"do":"pid"}`, &again); pid != again {
			t.Fatalf("another process: %d, not %d", again, pid)
		}
		return size(t, file) > frozen
	})
	apptest.Eventually(t, "the process to be frozen again", func() bool { return stateOf(pid) == "T" })
	if err := p.Close(t.Context()); err != nil || running(pid) {
		t.Errorf("%v, and it runs: %v", err, running(pid))
	}
}

func size(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
