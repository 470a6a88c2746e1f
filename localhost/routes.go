package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/tandem-api/tandem/localhost/dotenv"
	"github.com/tandem-api/tandem/localhost/template"
)

// routesCommand prints what the template says: which route reaches which function.
func routesCommand(_ context.Context, h host, args []string) error {
	flags := flag.NewFlagSet("routes", flag.ContinueOnError)
	var t templateFlags
	t.add(flags)
	if err := parse(flags, h, args); err != nil {
		return err
	}
	lookup, err := dotenv.Lookup(h.lookup, dotenv.File)
	if err != nil {
		return usageError{err}
	}
	read, err := t.load(lookup)
	if err != nil {
		return usageError{err}
	}
	return writeRoutes(h.stdout, read)
}

func writeRoutes(w io.Writer, t *template.Template) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, r := range t.Routes() {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", r.Method, r.Path, nameOf(r.Function), r.Function.Timeout)
	}
	return table.Flush()
}

// nameOf is what people call a function.
func nameOf(f *template.Function) string { return cmp.Or(f.Folder, f.LogicalID) }

// listed are the functions of a template, for a person.
func listed(t *template.Template) string {
	var names []string
	for _, f := range t.Functions() {
		names = append(names, nameOf(f))
	}
	return strings.Join(names, ", ")
}
