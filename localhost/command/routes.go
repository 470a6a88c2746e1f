package command

import (
	"context"
	"errors"
	"flag"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/dotenv"
)

// routes prints what the template says: which route reaches which function.
func routes(_ context.Context, h cli.Host, args []string) error {
	flags := flag.NewFlagSet("routes", flag.ContinueOnError)
	var t cli.TemplateFlags
	t.Add(flags)
	if err := h.Parse(flags, args); err != nil {
		return err
	}
	lookup, err := dotenv.Lookup(h.Lookup, dotenv.File)
	if err != nil {
		return cli.UsageError{Err: err}
	}
	read, err := t.Load(lookup)
	if err != nil {
		return cli.UsageError{Err: err}
	}
	return errors.Join(cli.WriteRoutes(h.Stdout, read), cli.WriteSchedules(h.Stdout, read))
}
