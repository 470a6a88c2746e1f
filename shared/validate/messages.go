package validate

import (
	"fmt"
	"strings"

	"github.com/xeipuuv/gojsonschema"
)

// describe says what is wrong with a value, in words that follow its name. It takes
// them from the schema alone: a client's values are not sent back. It returns "" for
// what only repeats that other errors exist.
func describe(e gojsonschema.ResultError) string {
	d := e.Details()
	switch e.Type() {
	case "number_all_of", "condition_then", "condition_else":
		return ""
	case "required":
		return "is required"
	case "missing_dependency":
		return "is required beside another member that is there"
	case "false", "additional_property_not_allowed":
		return "is not allowed"
	case "invalid_property_name":
		return "is not an allowed name"
	case "invalid_type":
		return fmt.Sprintf("must be %s, not %s", types(d["expected"]), types(d["given"]))
	case "const":
		return "must be " + short(d["allowed"])
	case "enum":
		return "must be one of " + short(d["allowed"])
	case "pattern":
		return "must match the pattern " + short(d["pattern"])
	case "format":
		return "must have the format " + short(d["format"])
	case "number_any_of":
		return "must have one of the allowed forms"
	case "number_one_of":
		return "must have exactly one of the allowed forms"
	case "number_not":
		return "must not have this form"
	default:
		return describeSize(e)
	}
}

func describeSize(e gojsonschema.ResultError) string {
	d := e.Details()
	switch e.Type() {
	case "array_min_items":
		return "must have at least " + count(d["min"], "item")
	case "array_max_items":
		return "must have at most " + count(d["max"], "item")
	case "array_no_additional_items":
		return "has too many items"
	case "unique":
		return fmt.Sprintf("must not have the same item twice: items %v and %v", d["i"], d["j"])
	case "contains":
		return "must have an item of the required form"
	case "array_min_properties":
		return "must have at least " + count(d["min"], "member")
	case "array_max_properties":
		return "must have at most " + count(d["max"], "member")
	case "string_gte":
		return "must have at least " + count(d["min"], "character")
	case "string_lte":
		return "must have at most " + count(d["max"], "character")
	case "multiple_of":
		return "must be a multiple of " + short(d["multiple"])
	case "number_gte":
		return "must be at least " + short(d["min"])
	case "number_gt":
		return "must be more than " + short(d["min"])
	case "number_lte":
		return "must be at most " + short(d["max"])
	case "number_lt":
		return "must be less than " + short(d["max"])
	default:
		return "does not have the required form"
	}
}

// types turns "string" into "a string", and "[integer,null]" into "an integer or null".
func types(names any) string {
	all := strings.Split(strings.Trim(fmt.Sprint(names), "[]"), ",")
	for i, name := range all {
		switch name {
		case "null":
		case "array", "integer", "object":
			all[i] = "an " + name
		default:
			all[i] = "a " + name
		}
	}
	return strings.Join(all, " or ")
}

func count(n any, noun string) string {
	text := fmt.Sprint(n)
	if text != "1" {
		noun += "s"
	}
	return text + " " + noun
}

// short keeps a schema's own long values, such as an enum of all countries, from
// filling the answer.
func short(v any) string {
	const most = 200
	text := fmt.Sprint(v)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
