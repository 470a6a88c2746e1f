package function_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

func newApp() *function.App { return function.New(config.Config{LogLevel: 12}, io.Discard) }

func TestAResourceIsOpenedOnce(t *testing.T) {
	var opened atomic.Int32
	number := function.Resource[int]{Name: "number", Open: func(*function.App) (int, error) { return int(opened.Add(1)), nil }}
	app, other := newApp(), newApp()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if n, err := number.Of(app); n != 1 || err != nil {
				t.Errorf("%d, %v; want 1", n, err)
			}
		})
	}
	wg.Wait()
	if n, err := number.Of(other); n != 2 || err != nil {
		t.Errorf("another app: %d, %v; want one of its own", n, err)
	}
}

func TestAnOpeningThatFailsIsTriedAgain(t *testing.T) {
	down := errors.New("connection refused")
	tries := 0
	r := function.Resource[string]{Name: "database", Open: func(*function.App) (string, error) {
		if tries++; tries < 3 {
			return "half open", down
		}
		return "open", nil
	}}
	app := newApp()
	for range 2 {
		if v, err := r.Of(app); v != "" || !errors.Is(err, down) || err.Error() != "open database: connection refused" {
			t.Errorf("%q, %v", v, err)
		}
	}
	if v, err := r.Of(app); v != "open" || err != nil {
		t.Errorf("%q, %v; want it open", v, err)
	}
}

// Requests that wait for a dependency that is down must not queue up behind each other:
// the hundredth would wait a hundred times as long as the first.
func TestThoseWhoAskTogetherFailTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := function.Resource[int]{Name: "database", Open: func(*function.App) (int, error) {
			time.Sleep(3 * time.Second) //nolint:forbidigo // in a bubble, where it takes no time
			return 0, errors.New("timed out")
		}}
		app := newApp()
		begin := time.Now()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if _, err := r.Of(app); err == nil {
					t.Error("no error")
				}
			})
		}
		wg.Wait()
		if took := time.Since(begin); took > 6*time.Second {
			t.Errorf("the last one waited for %s", took)
		}
	})
}

func TestAnOpeningThatPanicsMayBeTriedAgain(t *testing.T) {
	tries := 0
	r := function.Resource[int]{Name: "x", Open: func(*function.App) (int, error) {
		if tries++; tries == 1 {
			panic("oh")
		}
		return tries, nil
	}}
	app := newApp()
	func() {
		defer func() {
			if v := recover(); !strings.Contains(fmt.Sprint(v), "oh") {
				t.Errorf("recovered %v", v)
			}
		}()
		_, _ = r.Of(app)
	}()
	if n, err := r.Of(app); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestCloseGoesBackwards(t *testing.T) {
	var closed []string
	closer := func(name string, err error) func(string) error {
		return func(string) error { closed = append(closed, name); return err }
	}
	bottom := function.Resource[string]{Name: "bottom", Open: func(*function.App) (string, error) { return "bottom", nil }, Close: closer("bottom", errors.New("stuck"))}
	top := function.Resource[string]{Name: "top", Open: func(app *function.App) (string, error) { return bottom.Of(app) }, Close: closer("top", errors.New("busy"))}
	plain := function.Resource[string]{Name: "plain", Open: func(*function.App) (string, error) { return "", nil }}
	never := function.Resource[string]{Name: "never", Open: func(*function.App) (string, error) { return "", errors.New("no") }, Close: closer("never", nil)}
	app := newApp()
	for _, r := range []*function.Resource[string]{&plain, &top, &bottom, &never} {
		_, _ = r.Of(app)
	}
	err := app.Close(t.Context())
	if want := []string{"top", "bottom"}; !slices.Equal(closed, want) {
		t.Errorf("closed %q; want %q", closed, want)
	}
	if err == nil || err.Error() != "close top: busy\nclose bottom: stuck" {
		t.Errorf("%v", err)
	}
	if err := app.Close(t.Context()); err != nil || len(closed) != 2 {
		t.Errorf("closed again: %v, %q", err, closed)
	}
	if _, err := bottom.Of(app); err == nil || err.Error() != "open bottom: the app is closed" {
		t.Errorf("after the end: %v", err)
	}
}

func TestWhatIsOpenedDuringTheEndIsClosed(t *testing.T) {
	opening, ended := make(chan struct{}), make(chan struct{})
	closed := false
	r := function.Resource[int]{Name: "late", Open: func(*function.App) (int, error) {
		close(opening)
		<-ended
		return 1, nil
	}, Close: func(int) error { closed = true; return nil }}
	app := newApp()
	go func() {
		<-opening
		_ = app.Close(t.Context())
		close(ended)
	}()
	if n, err := r.Of(app); n != 0 || err == nil || !closed {
		t.Errorf("%d, %v, closed: %v", n, err, closed)
	}
}

func TestCloseTakesNoLongerThanItsContext(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	r := function.Resource[int]{Name: "hung", Open: func(*function.App) (int, error) { return 1, nil }, Close: func(int) error { <-hold; return nil }}
	app := newApp()
	if _, err := r.Of(app); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := app.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v; want the deadline", err)
	}
}

func BenchmarkResource(b *testing.B) {
	r := function.Resource[int]{Name: "number", Open: func(*function.App) (int, error) { return 1, nil }}
	app := newApp()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Of(app); err != nil {
			b.Fatal(err)
		}
	}
}
