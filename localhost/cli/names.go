package cli

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/tandem-api/tandem/localhost/template"
)

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

// Count is a number of things, such as "1 job".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}
