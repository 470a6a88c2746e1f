package lambda_test

import (
	"context"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/shared/apptest"
)

func TestAFloodOfLines(t *testing.T) {
	h, l := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{Timeout: time.Minute})
	r := invoke(t, p, `{"do":"flood","n":20}`)
	if r.FunctionError != "" {
		t.Fatalf("%s", r.Payload)
	}
	if log := l.report(t, r.RequestID); strings.Count(log, "xxx\n") != 20<<10 {
		t.Errorf("%d lines", strings.Count(log, "\n"))
	}
}

func TestAProcessThatEndsAfterItsAnswer(t *testing.T) {
	h, l := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{})
	r := invoke(t, p, `{"do":"answer and exit"}`)
	if string(r.Payload) != `"bye"` {
		t.Errorf("%s", r.Payload)
	}
	l.report(t, r.RequestID)
	apptest.Eventually(t, "another process to answer", func() bool {
		return invoke(t, p, `{"do":"echo"}`).FunctionError == ""
	})
}

func TestAProcessWithoutALog(t *testing.T) {
	h, l := newHost(t, lambda.Options{})
	p := newPool(t, h, lambda.Function{})
	invoke(t, p, `{"do":"close"}`)
	r := invoke(t, p, printing("into nothing"))
	l.report(t, r.RequestID)
}

// What a host has opened and started is gone when it is closed.
func TestNothingIsLeft(t *testing.T) {
	files := func() int {
		all, _ := os.ReadDir("/proc/self/fd")
		return len(all)
	}
	cycle := func() {
		h, err := lambda.NewHost(lambda.Options{Path: path(), TempDir: t.TempDir(), Freeze: lambda.CanFreeze})
		if err != nil {
			t.Fatal(err)
		}
		p := newPool(t, h, lambda.Function{})
		for range 3 {
			invoke(t, p, `{"do":"echo"}`)
			invoke(t, p, `{"do":"exit"}`)
			if err := p.Replace(p.Function()); err != nil {
				t.Fatal(err)
			}
		}
		invoke(t, p, `{"do":"echo"}`)
		if err := h.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := h.NewPool(lambda.Function{Name: "late", Command: []string{bootstrap}}); err == nil {
			t.Error("a closed host takes functions")
		}
	}
	cycle() // what is opened once and for all
	before, goroutines := files(), runtime.NumGoroutine()
	cycle()
	apptest.Eventually(t, "all files and goroutines to be gone", func() bool {
		return files() <= before && runtime.NumGoroutine() <= goroutines
	})
}
