package server

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/console"
	"github.com/tandem-api/tandem/localhost/inprocess"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
)

// lambdaAPI answers AWS SDKs and the AWS CLI as Lambda does. It knows no users: it is
// for programs of this machine only.
func (s server) lambdaAPI() (http.Handler, error) {
	var targets []lambda.Target
	for _, f := range s.template.Functions() {
		if invoke := s.invoke(f); invoke != nil {
			targets = append(targets, lambda.Target{Names: s.names(f), Invoke: invoke, Attempts: f.Retries + 1})
		}
	}
	api, err := lambda.NewInvokeAPI(s.app.Log, s.queue, targets...)
	if err != nil {
		return nil, cli.UsageError{Err: err}
	}
	api.Admit = func(r *http.Request) bool { return console.FromHere(s.app.Config, r) }
	return api, nil
}

// names are all that a function may be called: its logical id, its name, and its
// folder, unless that means another function.
func (s server) names(f *template.Function) []string {
	names := []string{f.LogicalID, f.Name}
	if s.template.Function(f.Folder) == f {
		names = append(names, f.Folder)
	}
	return names
}

// invoke returns what runs a function's events, or nil where it cannot run here.
func (s server) invoke(f *template.Function) lambda.Invoke {
	if s.isolated != nil {
		return s.isolated.Invoke(f)
	}
	known, ok := s.functionOf(f)
	if !ok {
		return nil
	}
	// Most functions are never called but by the gateway.
	made := sync.OnceValues(func() (*inprocess.Function, error) { return inprocess.New(s.app, known, f) })
	return func(ctx context.Context, inv lambda.Invocation) (lambda.Result, error) {
		called, err := made()
		if err != nil {
			return lambda.Result{}, err
		}
		return called.Invoke(ctx, inv)
	}
}

// closeQueue waits for the asynchronous events that run, and says how many are lost.
func (s server) closeQueue() {
	ctx, cancel := context.WithTimeout(context.Background(), cli.Closing)
	defer cancel()
	lost, err := s.queue.Close(ctx)
	if err != nil {
		s.app.Log.ErrorContext(ctx, "stop the asynchronous events", "error", err)
	}
	if lost > 0 {
		fmt.Fprintf(s.host.Stderr, "localhost: stopped with %s of the Lambda API that had not succeeded: gone\n", cli.Count(lost, "asynchronous event"))
	}
}
