package server

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tandem-api/tandem/localhost/build"
	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/isolate"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/function"
)

// invokeOptions are what invoke is told.
type invokeOptions struct {
	serveOptions
	name  string // of the function
	event string // a file, "-" for the standard input, "" for the sample
}

func invokeFlags(h cli.Host, args []string) (invokeOptions, error) {
	flags := flag.NewFlagSet("invoke", flag.ContinueOnError)
	var o invokeOptions
	o.template.Add(flags)
	flags.StringVar(&o.event, "event", "", "the `file` with the event as JSON, - for the standard input; by default the sample, events/FUNCTION.json")
	flags.BoolVar(&o.isolate, "isolate", false, "run the function in a process of its own, as Lambda does")
	for { // the name may stand before, between or after the flags
		if err := h.ParseFlags(flags, args); err != nil {
			return o, err
		}
		switch {
		case flags.NArg() == 0 && o.name == "":
			return o, cli.UsageError{Err: errors.New("invoke: name a function")}
		case flags.NArg() == 0:
			return o, nil
		case o.name != "":
			return o, cli.UsageError{Err: fmt.Errorf("invoke: unexpected argument %q", flags.Arg(0))}
		}
		o.name, args = flags.Arg(0), flags.Args()[1:]
	}
}

// errFunction ends a command whose function has failed, and said so itself.
var errFunction = errors.New("the function failed")

// Invoke runs one event, and prints the function's answer alone on standard
// output.
func Invoke(ctx context.Context, h cli.Host, args []string) error {
	o, err := invokeFlags(h, args)
	if err != nil {
		return err
	}
	o.template.Only = o.name
	read, err := o.template.Read(h, "", o.isolate)
	if err != nil {
		return err
	}
	f := read.Template.Function(o.name)
	if f == nil {
		return cli.UsageError{Err: fmt.Errorf("invoke: %s has no function %q; it has %s", o.template.Path, o.name, cli.Names(read.Template))}
	}
	event, err := o.read(h, f)
	if err != nil {
		return cli.UsageError{Err: fmt.Errorf("invoke: %w", err)}
	}
	var embedded *embeddedRedis
	if read.Config.RedisURL == "" && f.Declares("REDIS_URL") {
		if embedded, err = startEmbeddedRedis(); err != nil {
			return err
		}
		defer embedded.close()
		read.Config.RedisURL = embedded.url()
	}
	return h.WithConfig(read.Config, func(app *function.App) error {
		s := server{host: h, app: app, options: o.serveOptions, template: read.Template, embedded: embedded}
		defer s.countLeft()
		return s.invokeOnce(ctx, f, event)
	})
}

func (s server) invokeOnce(ctx context.Context, f *template.Function, event []byte) error {
	if f.Declares("DATABASE_URL") {
		if err := cli.ReadyDatabase(ctx, s.app); err != nil {
			return err
		}
	}
	if s.options.isolate {
		source, err := isolate.FindOne(s.options.template.Dir(), f)
		if err != nil {
			return cli.UsageError{Err: err}
		}
		folder, err := build.Open(build.Dir)
		if err != nil {
			return err
		}
		defer func() { _ = folder.Close() }() // the next one sweeps it
		functions, end, err := s.isolate(ctx, folder, []isolate.Source{source})
		if err != nil {
			return err
		}
		defer end()
		s.isolated = functions
	}
	invoke := s.invoke(f)
	if invoke == nil {
		return cli.UsageError{Err: notOurs(f)}
	}
	result, err := invoke(ctx, lambda.Invocation{Payload: event})
	if err != nil {
		return err
	}
	fmt.Fprintln(s.host.Stdout, string(result.Payload))
	if result.FunctionError != "" {
		return fmt.Errorf("%s: %w: %s", cli.NameOf(f), errFunction, result.ErrorType)
	}
	return nil
}

// read reads the event.
func (o invokeOptions) read(h cli.Host, f *template.Function) ([]byte, error) {
	var text []byte
	var err error
	switch o.event {
	case "-":
		text, err = io.ReadAll(h.Stdin)
	case "":
		o.event = filepath.Join(o.template.Dir(), "events", cli.NameOf(f)+".json")
		if text, err = os.ReadFile(o.event); errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("%s has no sample event: name one with -event: %w", cli.NameOf(f), err)
		}
	default:
		text, err = os.ReadFile(o.event)
	}
	if err != nil {
		return nil, err
	}
	var event json.RawMessage
	if err := json.Unmarshal(text, &event); err != nil {
		return nil, fmt.Errorf("the event %s is not JSON: %w", o.event, err)
	}
	return text, nil
}
