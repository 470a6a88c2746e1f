package function

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/logging"
	"github.com/tandem-api/tandem/shared/report"
)

// App is what a function, a worker or a command is given. One App serves a whole
// process: on Lambda one function, on the local host all of them.
type App struct {
	Config config.Config
	Log    *slog.Logger
	Report *report.Reporter

	mu     sync.Mutex
	opened map[any]*opened
	order  []*opened // in the order of opening
	closed bool
}

// New returns an App that logs to w. Nothing is opened or connected yet.
func New(c config.Config, w io.Writer) *App {
	log := logging.New(w, c)
	return &App{
		Config: c,
		Log:    log,
		Report: report.New(report.Options{
			APIKey:      c.HoneybadgerAPIKey,
			Endpoint:    c.HoneybadgerEndpoint,
			Environment: c.Environment,
			Sync:        c.Lambda != "",
			Timeout:     time.Second,
			Log:         log,
			Secrets:     c.Secrets(),
		}),
		opened: map[any]*opened{},
	}
}

// Close closes what was opened, the last first, and sends the reports that still
// wait. It takes no longer than the context allows.
func (a *App) Close(ctx context.Context) error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil
	}
	a.closed = true
	order := slices.Clone(a.order)
	a.mu.Unlock()

	done := make(chan error, 1)
	go func() {
		var errs []error
		for _, o := range slices.Backward(order) {
			if err := o.close(); err != nil {
				errs = append(errs, fmt.Errorf("close %s: %w", o.name, err))
			}
		}
		done <- errors.Join(errs...)
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = fmt.Errorf("close the app: %w", ctx.Err())
	}
	return errors.Join(err, a.Report.Close(ctx))
}
