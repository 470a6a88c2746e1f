package lambda_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/shared/apptest"
)

func TestClose(t *testing.T) {
	t.Run("waits for the events", func(t *testing.T) {
		h, _ := newHost(t, lambda.Options{})
		p := newPool(t, h, lambda.Function{Timeout: time.Minute})
		let, done := hold(t, p)
		closed := make(chan error, 1)
		go func() { closed <- p.Close(context.Background()) }()
		apptest.Eventually(t, "the pool to refuse", func() bool {
			_, err := p.Invoke(t.Context(), lambda.Invocation{})
			return errors.Is(err, lambda.ErrClosed)
		})
		let()
		var pid int
		if _, err := fmt.Sscan(<-done, &pid); err != nil {
			t.Errorf("the event that ran: %v", err)
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if running(pid) {
			t.Error("the process is still there")
		}
	})
	t.Run("cuts off what takes too long", func(t *testing.T) {
		h, _ := newHost(t, lambda.Options{})
		p := newPool(t, h, lambda.Function{Timeout: time.Minute})
		_, done := hold(t, p)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := p.Close(ctx)
		if err == nil || err.Error() != "function foo: 1 events were cut off: context canceled" {
			t.Errorf("%v", err)
		}
		<-done
	})
	t.Run("asks the process to end", func(t *testing.T) {
		h, _ := newHost(t, lambda.Options{})
		note := filepath.Join(t.TempDir(), "note")
		p := newPool(t, h, lambda.Function{Env: map[string]string{"ON_SIGTERM": note}})
		invoke(t, p, `{"do":"pid"}`)
		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !exists(note) {
			t.Error("no SIGTERM came")
		}
	})
	t.Run("kills what does not end", func(t *testing.T) {
		h, _ := newHost(t, lambda.Options{ShutdownTimeout: 50 * time.Millisecond})
		note := filepath.Join(t.TempDir(), "note")
		p := newPool(t, h, lambda.Function{Env: map[string]string{"ON_SIGTERM": note, "AT_START": "stubborn"}})
		var pid int
		answer(t, p, `{"do":"pid"}`, &pid)
		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !exists(note) || running(pid) {
			t.Errorf("SIGTERM came: %v, the process runs: %v", exists(note), running(pid))
		}
	})
}
