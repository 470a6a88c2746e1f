package validate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/xeipuuv/gojsonschema"
)

// shape says what a keyword's value holds.
type shape int

const (
	unknown    shape = iota
	value            // no schemas
	annotation       // nothing that is checked
	one              // a schema
	list             // an array of schemas
	oneOrList        // either
	named            // schemas by name
)

// keyword returns the shape of a keyword, and the draft that brought it.
func keyword(name string) (shape, gojsonschema.Draft) {
	switch name {
	case "$schema", "$ref", "type", "enum", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
		"maxLength", "minLength", "pattern", "format", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "required":
		return value, gojsonschema.Draft4
	case "$id", "const":
		return value, gojsonschema.Draft6
	case "title", "description", "default":
		return annotation, gojsonschema.Draft4
	case "examples":
		return annotation, gojsonschema.Draft6
	case "$comment", "readOnly", "writeOnly":
		return annotation, gojsonschema.Draft7
	case "additionalItems", "additionalProperties", "not":
		return one, gojsonschema.Draft4
	case "contains", "propertyNames":
		return one, gojsonschema.Draft6
	case "if", "then", "else":
		return one, gojsonschema.Draft7
	case "allOf", "anyOf", "oneOf":
		return list, gojsonschema.Draft4
	case "items":
		return oneOrList, gojsonschema.Draft4
	case "properties", "patternProperties", "definitions", "dependencies":
		return named, gojsonschema.Draft4
	default:
		return unknown, 0
	}
}

// walker visits every schema within a schema, and refuses what gojsonschema would
// ignore, fetch, or never come back from.
type walker struct {
	draft gojsonschema.Draft
	loops loops
}

// schema visits one schema. What is no object is left to the draft's own schema.
func (w walker) schema(node any, at string) error {
	object, ok := node.(map[string]any)
	if !ok {
		return nil
	}
	errs := []error{w.loops.visit(at, node)}
	_, isRef := object["$ref"]
	for _, name := range slices.Sorted(maps.Keys(object)) {
		here := at + "/" + escape.Replace(name)
		holds, since := keyword(name)
		switch {
		case holds == unknown:
			errs = append(errs, fmt.Errorf("%s: %s is no keyword that is checked", here, name))
		case since > w.draft:
			errs = append(errs, fmt.Errorf("%s: %s is no keyword of draft %d", here, name, w.draft))
		case isRef && !besideRef(name, holds):
			errs = append(errs, fmt.Errorf("%s: %s has no effect beside $ref", here, name))
		default:
			errs = append(errs, w.keyword(name, holds, object[name], here, at == ""))
		}
	}
	return errors.Join(errs...)
}

func besideRef(name string, holds shape) bool {
	return holds == annotation || name == "$ref" || name == "$schema" || name == "$id" || name == "definitions"
}

func (w walker) keyword(name string, holds shape, v any, here string, root bool) error {
	switch list, isList := v.([]any); {
	case holds == value:
		return w.value(name, v, here, root)
	case holds == annotation:
		return nil
	case isList:
		return w.list(list, here)
	case holds == named:
		return w.named(v, here)
	default:
		return w.schema(v, here)
	}
}

func (w walker) list(schemas []any, at string) error {
	var errs []error
	for i, s := range schemas {
		errs = append(errs, w.schema(s, fmt.Sprintf("%s/%d", at, i)))
	}
	return errors.Join(errs...)
}

func (w walker) named(node any, at string) error {
	object, _ := node.(map[string]any)
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(object)) {
		errs = append(errs, w.schema(object[name], at+"/"+escape.Replace(name)))
	}
	return errors.Join(errs...)
}

func (w walker) value(name string, v any, here string, root bool) error {
	text, _ := v.(string)
	switch {
	case name == "$ref" && text != "#" && !strings.HasPrefix(text, "#/"):
		return fmt.Errorf("%s: %q: a reference must be to this document, such as #/definitions/name", here, text)
	case (name == "$schema" || name == "$id") && !root:
		return fmt.Errorf("%s: %s must be at the root", here, name)
	case name == "format" && !gojsonschema.FormatCheckers.Has(text):
		return fmt.Errorf("%s: the format %q is not checked", here, text)
	}
	return nil
}
