package lambda_test

import (
	"testing"
	"time"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
)

func TestFunctionsAreChecked(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	for _, tt := range []struct {
		name string
		f    lambda.Function
		want string
	}{
		{"nothing", lambda.Function{}, "function \"\": a name has letters, digits, - and _, at most 64 of them\nno command"},
		{"a path for a name", lambda.Function{Name: "a/b", Command: []string{"/b"}}, `function "a/b": a name has letters, digits, - and _, at most 64 of them`},
		{"a relative command", lambda.Function{Name: "foo", Command: []string{"bootstrap"}}, `function "foo": command "bootstrap" is not an absolute path`},
		{"a long time-out", lambda.Function{Name: "foo", Command: []string{"/b"}, Timeout: 901 * time.Second}, `function "foo": time-out 15m1s is not within 900 s`},
		{"less than nothing", lambda.Function{Name: "foo", Command: []string{"/b"}, MemoryMB: -1, Reserved: new(-1)}, "function \"foo\": memory of -1 MB\nreserved concurrency of -1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := h.NewPool(tt.f); err == nil || err.Error() != tt.want {
				t.Errorf("%v, not %s", err, tt.want)
			}
		})
	}
}

func TestWhatLambdaTakesWhereNothingIsSaid(t *testing.T) {
	h, _ := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{Name: "foo", Command: []string{"/some/where/bootstrap"}})
	f := p.Function()
	if f.Timeout != 3*time.Second || f.MemoryMB != 128 || f.TaskRoot != "/some/where" || f.Handler != "bootstrap" || f.Reserved != nil {
		t.Errorf("%+v", f)
	}
}
