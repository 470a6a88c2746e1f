package validate

import (
	"slices"
	"strings"

	"github.com/xeipuuv/gojsonschema"

	"github.com/tandem-api/tandem/shared/httperror"
)

// violations checks a document, and returns nil where it has none.
func (s *Schema) violations(document any) []httperror.Violation {
	// It fails only where the loader does, and this one cannot.
	result, err := s.schema.Validate(gojsonschema.NewRawLoader(document))
	if err != nil {
		return []httperror.Violation{{Message: "could not be checked"}}
	}
	if result.Valid() {
		return nil
	}
	all := make([]httperror.Violation, 0, len(result.Errors()))
	for _, e := range result.Errors() {
		message := describe(e)
		if message == "" {
			continue
		}
		where := path(e.Context())
		// These are about a member, though their context is the object.
		switch name := e.Details()["property"].(type) {
		case string:
			where = append(where, name)
		default:
			if name, ok := e.Details()["dependency"].(string); ok {
				where = append(where, name)
			}
		}
		all = append(all, violation(where, message))
	}
	slices.SortFunc(all, byPlace)
	return slices.Compact(all)
}

// path returns the names and indices that lead to a value. gojsonschema joins them
// with any separator: this byte is part of no UTF-8 text, and so of no name.
func path(c *gojsonschema.JsonContext) []string {
	const separator = "\xff"
	return strings.Split(c.String(separator), separator)[1:] // the first is its name for the root
}

// maxPointer is how long a pointer may be, in bytes: a client chooses the names.
const maxPointer = 256

var (
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
	unescape = strings.NewReplacer("~0", "~", "~1", "/")
)

// violation makes a pointer of the path. Where it would be too long, it points at the
// nearest value around, and says so.
func violation(path []string, message string) httperror.Violation {
	var pointer strings.Builder
	for _, token := range path {
		token = escape.Replace(token)
		if pointer.Len()+1+len(token) > maxPointer {
			return httperror.Violation{Pointer: pointer.String(), Message: "a value inside " + message}
		}
		pointer.WriteString("/" + token)
	}
	return httperror.Violation{Pointer: pointer.String(), Message: message}
}
