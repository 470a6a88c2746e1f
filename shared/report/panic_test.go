package report_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/shared/report"
)

// Each fault is a named function, which is to be the first frame of the stack.

func missingKey()    { noMap["a"] = 1 }
func nilPointer()    { var p *notice; p.Error.Class = "x" }
func outOfRange()    { var s []int; _ = s[len(s)] }
func wrongType()     { var v any = 1; _ = v.(string) }
func divideByZero()  { zero := len(missing); _ = 1 / zero }
func closedTwice()   { c := make(chan int); close(c); close(c) }
func unhashable()    { m := map[any]int{}; m[[]int{}] = 1 }
func panicWithText() { panic("the key is missing") }
func panicWithErr()  { panic(&customError{inner: errors.New("oh")}) }
func panicWithNil()  { panic(nil) }

func panicAgain() {
	defer func() { panic(recover()) }()
	panicWithText()
}

// cleanupPanics panics while another panic unwinds; the second is what is recovered.
func cleanupPanics() {
	defer func() { outOfRange() }()
	panic("the first")
}

func panicInDeferred() {
	defer func() { panic("while returning") }()
}

var (
	missing = ""
	noMap   map[string]int
)

func TestPanicTellsWhereItHappened(t *testing.T) {
	for name, c := range map[string]struct {
		fault               func()
		class, message, top string
	}{
		"a nil map":            {missingKey, "runtime.plainError", "assignment to entry in nil map", "missingKey"},
		"a nil pointer":        {nilPointer, "runtime.errorString", "invalid memory address or nil pointer dereference", "nilPointer"},
		"an index":             {outOfRange, "runtime.boundsError", "index out of range [0] with length 0", "outOfRange"},
		"a type assertion":     {wrongType, "runtime.TypeAssertionError", "interface {} is int, not string", "wrongType"},
		"a division":           {divideByZero, "runtime.errorString", "integer divide by zero", "divideByZero"},
		"a channel":            {closedTwice, "runtime.plainError", "close of closed channel", "closedTwice"},
		"an unhashable key":    {unhashable, "runtime.errorString", "hash of unhashable type []int", "unhashable"},
		"text":                 {panicWithText, "panic", "the key is missing", "panicWithText"},
		"an error":             {panicWithErr, "report_test.customError", "custom: oh", "panicWithErr"},
		"nil":                  {panicWithNil, "runtime.PanicNilError", "panic called with nil argument", "panicWithNil"},
		"panicking again":      {panicAgain, "panic", "the key is missing", "panicWithText"},
		"a cleanup that fails": {cleanupPanics, "runtime.boundsError", "index out of range", "outOfRange"},
		"a deferred function":  {panicInDeferred, "panic", "while returning", "panicInDeferred.func1"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHoneybadger(t, http.StatusCreated, nil)
			r := newSync(h, &lines{})
			recovering(t, r, c.fault)
			n, _ := h.only(t)
			if n.Error.Class != c.class || !strings.Contains(n.Error.Message, c.message) {
				t.Errorf("class %q, message %q", n.Error.Class, n.Error.Message)
			}
			if top := n.Error.Backtrace[0]; !strings.HasSuffix(top.Method, "report_test."+c.top) ||
				top.File != "[PROJECT_ROOT]/shared/report/panic_test.go" {
				t.Errorf("the stack begins with %+v, want %s", top, c.top)
			}
			if !strings.Contains(stackText(n), "report_test.recovering") {
				t.Errorf("the stack lacks the callers:\n%s", stackText(n))
			}
		})
	}
}

func recovering(t *testing.T, r *report.Reporter, fault func()) {
	defer func() {
		r.Panic(inRequest(t), recover())
	}()
	fault()
}

func TestPanicOutsideAPanicHasTheCallersStack(t *testing.T) {
	h := newHoneybadger(t, http.StatusCreated, nil)
	newSync(h, &lines{}).Panic(t.Context(), "a value from another goroutine")
	if n, _ := h.only(t); !strings.HasSuffix(n.Error.Backtrace[0].Method, ".TestPanicOutsideAPanicHasTheCallersStack") {
		t.Errorf("the stack is\n%s", stackText(n))
	}
}

func TestADeepStackIsCutAtItsEnd(t *testing.T) {
	h := newHoneybadger(t, http.StatusCreated, nil)
	recovering(t, newSync(h, &lines{}), func() { dig(1000) })
	n, _ := h.only(t)
	if got := len(n.Error.Backtrace); got != 50 || !strings.HasSuffix(n.Error.Backtrace[0].Method, "report_test.panicWithText") {
		t.Errorf("%d frames, the first is %+v", got, n.Error.Backtrace[0])
	}
}

func dig(deep int) {
	if deep == 0 {
		panicWithText()
	}
	dig(deep - 1)
}

func stackText(n notice) string {
	var b strings.Builder
	for _, f := range n.Error.Backtrace {
		b.WriteString(f.Method + " " + f.File + ":" + f.Number + "\n")
	}
	return b.String()
}
