package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/tandem-api/tandem/localhost/template"
)

// WriteRoutes prints which route reaches which function.
func WriteRoutes(w io.Writer, t *template.Template) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, r := range t.Routes() {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", r.Method, r.Path, NameOf(r.Function), r.Function.Timeout)
	}
	return table.Flush()
}

// NameOf is what people call a function.
func NameOf(f *template.Function) string { return cmp.Or(f.Folder, f.LogicalID) }

// Names are the functions of a template, for a person.
func Names(t *template.Template) string {
	var names []string
	for _, f := range t.Functions() {
		names = append(names, NameOf(f))
	}
	return strings.Join(names, ", ")
}
