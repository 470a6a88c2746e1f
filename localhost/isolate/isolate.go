// Package isolate runs the functions of a template as processes: it finds and builds
// their bootstraps, gives each the variables that the template gives it, and puts them
// behind the gateway and the Lambda API.
package isolate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/tandem-api/tandem/localhost/fault"
	"github.com/tandem-api/tandem/localhost/gateway"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
)

// Options say what is run, and how.
type Options struct {
	Template *template.Template
	// Executables are the functions' bootstraps by logical id, absolute paths. Those of
	// other functions cannot be called.
	Executables map[string]string
	// Local holds this machine's values for the variables that the template names but
	// leaves without a value here, such as REDIS_URL.
	Local map[string]string
	// Role holds what stands in for the functions' role on Lambda: AWS credentials. All
	// functions get it.
	Role map[string]string
	// Path is PATH for the processes.
	Path string
	// Freeze stops the processes between events.
	Freeze bool
	// Lines takes what the functions log.
	Lines func(lambda.Line)
	Log   *slog.Logger
}

// Functions are the functions of a template, each with a pool of processes.
type Functions struct {
	host *lambda.Host
	log  *slog.Logger
	all  map[string]*function // by logical id
}

// function is one of them.
type function struct {
	*template.Function
	pool   *lambda.Pool
	broken atomic.Pointer[string] // what is wrong with its code; nil: nothing
	edits  atomic.Int64           // of its code, while it runs here
}

// New starts no process yet; the first event of each function does. Close it.
func New(o Options) (*Functions, error) {
	host, err := lambda.NewHost(lambda.Options{Path: o.Path, Log: o.Lines, Freeze: o.Freeze})
	if err != nil {
		return nil, err
	}
	fs := &Functions{host: host, log: o.Log, all: map[string]*function{}}
	var wrong []error
	for _, f := range o.Template.Functions() {
		path, ok := o.Executables[f.LogicalID]
		if !ok {
			continue
		}
		env, err := environ(f, o)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		pool, err := host.NewPool(settings(f, path, env))
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		fs.all[f.LogicalID] = &function{Function: f, pool: pool}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(append(wrong, host.Close(context.Background()))...)
	}
	return fs, nil
}

// settings are what Lambda is told of a function.
func settings(f *template.Function, path string, env map[string]string) lambda.Function {
	s := lambda.Function{
		Name: f.Name, Command: []string{path}, TaskRoot: filepath.Dir(path), Handler: f.Handler,
		Timeout: f.Timeout, MemoryMB: f.MemorySize, Env: env, Reserved: f.Reserved,
	}
	// arn:aws:lambda:REGION:ACCOUNT:function:NAME
	if part := strings.Split(f.ARN(), ":"); len(part) > 4 {
		s.Region, s.AccountID = part[3], part[4]
	}
	return s
}

// Handler answers the requests that the gateway routes to a function.
func (fs *Functions) Handler(f *template.Function) (http.Handler, error) {
	known := fs.all[f.LogicalID]
	if known == nil {
		return nil, fmt.Errorf("%s: %s has no bootstrap on this machine", f.Position, f.LogicalID)
	}
	called := &lambda.Handler{Invoke: known.pool.Invoke, Event: gateway.Event, Refuse: gateway.Refuse, Log: fs.log}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text := known.broken.Load(); text != nil {
			fault.Answer(w, r, *text)
			return
		}
		called.ServeHTTP(w, r)
	}), nil
}

// Invoke returns what runs a function's events, or nil where it cannot be called.
func (fs *Functions) Invoke(f *template.Function) lambda.Invoke {
	known := fs.all[f.LogicalID]
	if known == nil {
		return nil
	}
	return func(ctx context.Context, inv lambda.Invocation) (lambda.Result, error) {
		if text := known.broken.Load(); text != nil {
			return lambda.Result{}, &fault.Error{Text: *text}
		}
		return known.pool.Invoke(ctx, inv)
	}
}

// Replace lets a function's next events run in processes of another executable. Those
// that run are not disturbed.
func (fs *Functions) Replace(logicalID, path string) error {
	f := fs.all[logicalID]
	if f == nil {
		return fmt.Errorf("there is no function %s", logicalID)
	}
	s := f.pool.Function()
	s.Command, s.TaskRoot = []string{path}, filepath.Dir(path)
	if err := f.pool.Replace(s); err != nil {
		return err
	}
	f.broken.Store(nil)
	f.edits.Add(1)
	return nil
}

// Break lets a function answer with the text, until it is replaced: its code does not
// build.
func (fs *Functions) Break(logicalID, text string) {
	if f := fs.all[logicalID]; f != nil {
		f.broken.Store(&text)
		f.edits.Add(1)
	}
}

// Edits counts how often a function was replaced or broken.
func (fs *Functions) Edits(f *template.Function) int64 {
	if known := fs.all[f.LogicalID]; known != nil {
		return known.edits.Load()
	}
	return 0
}

// Close takes no more events, lets those that run finish until the context ends, and
// leaves no process.
func (fs *Functions) Close(ctx context.Context) error { return fs.host.Close(ctx) }
