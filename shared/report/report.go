// Package report sends errors to Honeybadger: what went wrong, where, in which
// function and request, and without the secrets.
//
// On Lambda (Options.Sync) a report is sent before Notify returns. Elsewhere it
// waits in a bounded queue for one goroutine, and no request waits for Honeybadger.
// Without an API key a report is only logged.
package report

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/tandem-api/tandem/shared/config"
)

// Options say where reports go and how.
type Options struct {
	APIKey      config.Secret
	Endpoint    string // scheme://host[:port]; "" means Honeybadger's own
	Environment string
	// Sync sends each report before Notify returns, as Lambda needs, since a
	// process may be frozen as soon as it has answered.
	Sync    bool
	Timeout time.Duration // for one report; 0 means 1 s
	Queue   int           // reports that may wait, when not Sync; 0 means 100
	Log     *slog.Logger  // nil means none
	// Secrets are hidden wherever they turn up, whatever the text around them.
	Secrets []config.Secret
}

const (
	defaultEndpoint = "https://api.honeybadger.io"
	defaultTimeout  = time.Second
	defaultQueue    = 100
)

// Reporter sends reports. All its methods may be called at once, and none panics
// on account of what it is given.
type Reporter struct {
	o       Options
	secrets secrets
	sender  *sender
}

// New returns a reporter. It starts nothing before the first report.
func New(o Options) *Reporter {
	if o.Endpoint == "" {
		o.Endpoint = defaultEndpoint
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Queue <= 0 {
		o.Queue = defaultQueue
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Reporter{
		o:       o,
		secrets: newSecrets(append(slices.Clip(o.Secrets), o.APIKey)),
		sender:  newSender(o),
	}
}

// Notify reports err, with the caller's stack and what the context carries (see
// package logging). It leaves out what is nobody's fault: an answer that a handler
// cut off, and the cancellation of the context's own work.
func (r *Reporter) Notify(ctx context.Context, err error, extras ...Extra) {
	if err == nil || errors.Is(err, http.ErrAbortHandler) ||
		errors.Is(err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	r.report(ctx, event{class: classOf(err), message: safeText(err),
		chain: chainOf(err), kind: kindOf(err), grouped: true, level: slog.LevelWarn}, extras)
}

// Message reports something that is no error, under a class of its own.
func (r *Reporter) Message(ctx context.Context, class, text string, extras ...Extra) {
	r.report(ctx, event{class: class, message: text, level: slog.LevelInfo}, extras)
}

// Panic reports a recovered panic with the stack of where it happened: call it in
// the deferred function that recovers.
func (r *Reporter) Panic(ctx context.Context, value any, extras ...Extra) {
	e := event{class: "panic", message: safeText(value), panicked: true, level: slog.LevelWarn}
	if err, ok := value.(error); ok {
		if errors.Is(err, http.ErrAbortHandler) {
			return
		}
		e.class, e.chain = classOf(err), chainOf(err)
	}
	r.report(ctx, e, extras)
}

// event is what is to be told, before the extras and the context are added.
type event struct {
	class    string
	message  string
	chain    []string
	kind     string // of an error that no type tells from others
	grouped  bool   // by us: see groupOf
	panicked bool
	level    slog.Level // of the log line, when there is no API key
}

func (r *Reporter) report(ctx context.Context, e event, extras []Extra) {
	if r.o.APIKey != "" && r.sender.full() {
		r.sender.drop(ctx, queueFull)
		return
	}
	var d draft
	for _, add := range extras {
		add(&d)
	}
	notice := r.newNotice(ctx, e, d, stack(e.panicked))
	if r.o.APIKey == "" {
		r.o.Log.LogAttrs(ctx, e.level, "report (not sent: HONEYBADGER_API_KEY is not set)", notice.attrs()...)
		return
	}
	r.sender.send(ctx, notice)
}

// Stats counts reports since the start of the process.
type Stats struct {
	Sent    int64 // taken by Honeybadger
	Failed  int64 // refused by it, or not answered in time
	Dropped int64 // never tried: the queue was full, or the process ended
}

// Stats returns the counts so far. Reports that were only logged count nowhere.
func (r *Reporter) Stats() Stats { return r.sender.stats() }

// Close waits for the reports under way until the context ends; then the error says
// how many were lost. Reports that come later are dropped.
func (r *Reporter) Close(ctx context.Context) error { return r.sender.close(ctx) }
