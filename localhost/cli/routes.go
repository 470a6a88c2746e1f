package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/tandem-api/tandem/localhost/template"
)

// WriteRoutes writes a route a line, its path as a client writes it.
func WriteRoutes(w io.Writer, t *template.Template) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, r := range t.Routes() {
		path := r.Path
		if prefix := r.API.Prefix(); prefix != "" && path != template.Default {
			path = prefix + path
		} else if prefix != "" {
			path = prefix + " " + path
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s%s\n", r.Method, path, NameOf(r.Function), r.Function.Timeout, guardOf(r))
	}
	return table.Flush()
}

// guardOf says who may use a route, where not everyone may: a column of its own.
func guardOf(r template.Route) string {
	switch a := r.Auth; {
	case a == nil:
		return ""
	case a.Function != nil:
		return fmt.Sprintf("\t%s: %s asks %s", a.Name, a.Type, NameOf(a.Function))
	case a.Type == template.JWT:
		return fmt.Sprintf("\t%s: JWT of %s", a.Name, a.Issuer)
	default:
		return fmt.Sprintf("\t%s: not checked on this machine", a.Name)
	}
}

// WriteSchedules writes the template's schedules, where it has some.
func WriteSchedules(w io.Writer, t *template.Template) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for i, s := range t.Schedules() {
		if i == 0 {
			fmt.Fprintln(w)
		}
		state := "enabled"
		if !s.Enabled {
			state = "disabled"
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", strings.TrimSpace(s.Expression+" "+s.TimeZone), NameOf(s.Function), s.Event, state)
	}
	return table.Flush()
}
