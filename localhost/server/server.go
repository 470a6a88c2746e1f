// Package server is the running local host: its functions behind the gateway, Lambda's
// API and the pages, its workers, and one event by hand.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tandem-api/tandem/localhost/build"
	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/isolate"
	"github.com/tandem-api/tandem/localhost/reload"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue/inspect"
	"github.com/tandem-api/tandem/shared/queue/worker"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// draining is how long requests may go on once the host is asked to stop: as long as
// the gateway waits for a function.
const draining = 30 * time.Second

// server is a running `localhost serve`.
type server struct {
	host     cli.Host
	app      *function.App
	options  serveOptions
	template *template.Template
	embedded *embeddedRedis     // nil where REDIS_URL is set
	isolated *isolate.Functions // nil where the functions run in this process
	queue    *lambda.Queue      // the asynchronous events of the Lambda API
	from     *reload.Inherited  // nil where no `serve -watch` has started this
}

// run serves until the context ends, then drains: first the requests, since they may
// still enqueue jobs, then the jobs.
func (s server) run(ctx context.Context, listener net.Listener) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	if s.options.isolate {
		folder, err := build.Open(build.Dir)
		if err != nil {
			return err
		}
		defer func() { _ = folder.Close() }() // the next one sweeps it
		functions, end, err := s.isolateAll(ctx, folder)
		if err != nil {
			return err
		}
		defer end()
		s.isolated = functions
	}
	s.queue = lambda.NewQueue(lambda.QueueOptions{Log: s.app.Log})
	defer s.closeQueue()
	handler, err := s.handler()
	if err != nil {
		return err
	}
	web := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10, // the gateway's own limit is lower, and has its own answer
		ErrorLog:          slog.NewLogLogger(s.app.Log.Handler(), slog.LevelWarn),
	}
	err = s.serve(ctx, web, listener)
	s.countLeft()
	return err
}

// work starts the workers of this process.
func (s server) work(ctx context.Context, group *errgroup.Group) error {
	timed, err := s.scheduled()
	if err != nil {
		return cli.UsageError{Err: err}
	}
	for range s.options.workers {
		group.Go(func() error { return worker.Run(ctx, s.app, s.jobs(), worker.Options{Timed: timed, Outbox: true}) })
	}
	return nil
}

// serve runs the web server and the workers until the context ends.
func (s server) serve(ctx context.Context, web *http.Server, listener net.Listener) error {
	// One that fails stops the others.
	group, ctx := errgroup.WithContext(ctx)
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	if err := s.work(working, group); err != nil {
		return err
	}
	if s.from == nil || !s.from.Silent {
		s.banner(listener.Addr().String())
	}
	s.from.Ready()
	group.Go(func() error {
		if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		defer stopWorking()
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), draining)
		defer cancel()
		if err := web.Shutdown(within); err != nil {
			return fmt.Errorf("requests were still under way after %s: %w", draining, err)
		}
		return nil
	})
	return group.Wait()
}

// ready checks what the functions depend on, so that a wrong setting ends the command
// here and not in the first request.
func (s server) ready(ctx context.Context) error {
	client, err := redisdb.Of(s.app)
	if err != nil {
		return err
	}
	if err := client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("REDIS_URL: Redis does not answer: %w", err)
	}
	return cli.ReadyDatabase(ctx, s.app)
}

// countLeft says what is lost with the embedded Redis.
func (s server) countLeft() {
	if s.embedded == nil {
		return
	}
	left, err := s.queued()
	switch {
	case err != nil:
		fmt.Fprintf(s.host.Stderr, "localhost: the jobs left in the embedded Redis could not be counted: %v\n", err)
	case left > 0:
		fmt.Fprintf(s.host.Stderr, "localhost: stopped with %s still queued: gone with the embedded Redis\n", cli.Count(left, "job"))
	}
}

// queued counts the jobs that are to run now, later or again.
func (s server) queued() (left int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), cli.Closing)
	defer cancel()
	jobs, err := inspect.Of(s.app)
	if err != nil {
		return 0, err
	}
	stats, err := jobs.Stats(ctx)
	for _, q := range stats.Queues {
		left += q.Active + q.Pending + q.Scheduled + q.Retry
	}
	return left, err
}

// redisEmbedded says whether Redis ends with this process, or with the one around it.
func (s server) redisEmbedded() bool {
	return s.embedded != nil || (s.from != nil && s.from.Redis != "")
}

// banner tells a person what is served and where.
func (s server) banner(addr string) {
	base := "http://" + addr
	var b strings.Builder
	fmt.Fprintf(&b, "Tandem (%s) is on %s\n\n", s.app.Config.Environment, base)
	_ = cli.WriteRoutes(&b, s.template) // into memory: it cannot fail
	fmt.Fprintf(&b, "\n  %s/internal/        the pages of this host\n", base)
	fmt.Fprintf(&b, "  %s/internal/asynq   the queues and their jobs\n", base)
	if s.redisEmbedded() {
		b.WriteString("\nRedis is embedded in this process: cached answers and queued jobs do not outlive it. Set REDIS_URL to keep them.\n")
	}
	if s.options.workers == 0 {
		b.WriteString("\nNo worker runs in this process: jobs wait for `localhost worker`.\n")
	}
	_, _ = fmt.Fprintln(s.host.Stdout, b.String())
}
