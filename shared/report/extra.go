package report

import (
	"maps"
	"net/http"
)

// An Extra adds to a report.
type Extra func(*draft)

// draft is what the extras of one report say.
type draft struct {
	request *http.Request
	class   string
	group   string
	tags    []string
	data    map[string]any
}

// Request adds a request: its method, URL, headers and parameters, scrubbed. Its
// body is not read; a form that the handler has parsed is taken.
func Request(r *http.Request) Extra { return func(d *draft) { d.request = r } }

// Class names the kind of error, under which Honeybadger groups it. Without it, it
// is the type of the innermost error that has one of its own.
func Class(name string) Extra { return func(d *draft) { d.class = name } }

// Group tells errors apart that one place reports, such as those of all routes: those of
// another group are another fault.
func Group(name string) Extra { return func(d *draft) { d.group = name } }

// Tags adds tags.
func Tags(tags ...string) Extra { return func(d *draft) { d.tags = append(d.tags, tags...) } }

// Data adds values to the report's context, as JSON would write them. They cannot
// replace what the context of the call says, such as the function's name.
func Data(values map[string]any) Extra {
	return func(d *draft) {
		if d.data == nil {
			d.data = make(map[string]any, len(values))
		}
		maps.Copy(d.data, values)
	}
}
