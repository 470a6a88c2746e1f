// Package lambdahttp runs a function on AWS Lambda, behind an HTTP API or a REST API: with
// the payload formats 2.0 and 1.0. It is the only room that knows the events.
package lambdahttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

// grace is how long the end of a process may take. Lambda gives two seconds.
const grace = 1500 * time.Millisecond

// Start runs the function until the process ends: it is all that a bootstrap's main
// does. It logs to the standard output, which Lambda takes into the function's log as
// it does the standard error, and which leaves that to what the Go runtime has to say.
// Where the function cannot start, it logs and reports one line of why, tells the
// Runtime API, and exits with 1.
func Start(f function.Function) {
	if err := start(f, os.LookupEnv, os.Stdout); err != nil { //nolint:forbidigo // it is the bootstraps' main
		os.Exit(1)
	}
}

// start does not return once the function runs.
func start(f function.Function, lookup config.Lookup, log io.Writer) error {
	api, _ := lookup(runtimeAPI)
	c, err := config.FromEnv(onLambda(f, lookup))
	app := function.New(c, log) // with settings to spare, to log and report what is wrong with them
	if err == nil && api == "" {
		err = fmt.Errorf("%s is not set: a bootstrap runs on Lambda, or under localhost serve -isolate", runtimeAPI)
	}
	var h http.Handler
	var take function.EventHandler
	if err == nil {
		h, take, err = build(f, app)
	}
	if err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		err = fmt.Errorf("the function %s cannot start: %w", f.Name, err)
		app.Log.ErrorContext(ctx, "start", "error", err)
		app.Report.Notify(ctx, err)
		return errors.Join(err, initError(ctx, api, err), app.Close(ctx))
	}
	var busy sync.RWMutex
	go closeAtEnd(app, &busy)
	lambda.Start(&drained{NewHandler(app, h, take), &busy})
	return nil
}

// drained keeps the process from its end while an event is being answered.
type drained struct {
	lambda.Handler
	busy *sync.RWMutex
}

func (d *drained) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	d.busy.RLock()
	defer d.busy.RUnlock()
	return d.Handler.Invoke(ctx, event)
}

// onLambda sees to it that the settings are those of a function, under whichever
// Runtime API: some that are not Lambda's leave the name out.
func onLambda(f function.Function, lookup config.Lookup) config.Lookup {
	const name = "AWS_LAMBDA_FUNCTION_NAME"
	return func(key string) (string, bool) {
		value, ok := lookup(key)
		if key == name && value == "" {
			return f.Name, true
		}
		return value, ok
	}
}

// build returns the function's handlers. A route that chi refuses panics.
func build(f function.Function, app *function.App) (h http.Handler, take function.EventHandler, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	if h, err = f.Handler(app); err == nil {
		take, err = f.EventHandler(app)
	}
	return h, take, err
}

// closeAtEnd closes the App and ends the process at a SIGTERM, once no event is being
// answered. Lambda itself sends none, unless the function has an extension, and kills:
// nothing may be left unsent between events. The local host sends one.
func closeAtEnd(app *function.App, busy *sync.RWMutex) {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	<-end
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	idle := make(chan struct{})
	go func() {
		busy.Lock() // and keep it: no event begins any more
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
	}
	if err := app.Close(ctx); err != nil {
		app.Log.ErrorContext(ctx, "end", "error", err)
	}
	os.Exit(0)
}
