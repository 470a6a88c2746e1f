package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/tandem-api/tandem/localhost/dotenv"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/config"
)

// routesCommand prints what the template says: which route reaches which function.
func routesCommand(_ context.Context, h host, args []string) error {
	flags := flag.NewFlagSet("routes", flag.ContinueOnError)
	path := flags.String("template", defaultTemplate, "the SAM template with the routes")
	if err := parse(flags, h, args); err != nil {
		return err
	}
	lookup, err := dotenv.Lookup(h.lookup, dotenv.File)
	if err != nil {
		return usageError{err}
	}
	t, err := template.Load(*path, template.Options{Lookup: lookup})
	if err != nil {
		return usageError{err}
	}
	return writeRoutes(h.stdout, t)
}

const defaultTemplate = "template.yaml"

func writeRoutes(w io.Writer, t *template.Template) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, r := range t.Routes() {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", r.Method, r.Path, r.Function.Folder, r.Function.Timeout)
	}
	return table.Flush()
}

// withTemplate returns a lookup that knows the variables which the template gives to
// its functions, too. In one process the functions share them: two values for one
// variable are an error. A variable that has no value on this machine stays unset, and
// what needs it will say so.
func withTemplate(lookup config.Lookup, t *template.Template) (config.Lookup, error) {
	values, from := map[string]string{}, map[string]string{}
	var wrong []error
	for _, f := range t.Functions() {
		env, err := f.Env()
		if err != nil {
			wrong = append(wrong, err)
		}
		for key, value := range env {
			if old, ok := values[key]; ok && old != value {
				wrong = append(wrong, fmt.Errorf("%s: %s and %s have two values for %s, and share one process here", f.Position, from[key], f.LogicalID, key))
			}
			values[key], from[key] = value, f.LogicalID
		}
	}
	return func(key string) (string, bool) {
		if v, ok := lookup(key); ok {
			return v, true
		}
		v, ok := values[key]
		return v, ok
	}, errors.Join(wrong...)
}
