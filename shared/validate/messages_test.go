package validate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/shared/httperror"
)

// Every kind of violation that the library knows has words of its own.
func TestMessages(t *testing.T) {
	long := `"` + strings.Repeat("ä", 300) + `"`
	for _, c := range []struct{ name, schema, body, pointer, message string }{
		{"type", `{"type":"string"}`, `1.5`, "", "must be a string, not a number"},
		{"types", `{"type":["integer","null"]}`, `true`, "", "must be an integer or null, not a boolean"},
		{"required", `{"required":["a/b"]}`, `{}`, "/a~1b", "is required"},
		{"dependencies", `{"dependencies":{"a":["b"]}}`, `{"a":1}`, "/b", "is required beside another member that is there"},
		{"additionalProperties", `{"additionalProperties":false}`, `{"a":1}`, "/a", "is not allowed"},
		{"a schema that is false", `{"properties":{"a":false}}`, `{"a":1}`, "/a", "is not allowed"},
		{"propertyNames", `{"propertyNames":false}`, `{"a":1}`, "/a", "is not an allowed name"},
		{"const", `{"const":{"a":1}}`, `2`, "", `must be {"a":1}`},
		{"enum", `{"enum":["a",1,null]}`, `2`, "", `must be one of "a", 1, null`},
		{"a long enum", `{"enum":[` + long + `]}`, `2`, "", "must be one of \"" + strings.Repeat("ä", 99) + "…"},
		{"pattern", `{"pattern":"^a+$"}`, `"b"`, "", "must match the pattern ^a+$"},
		{"format", `{"format":"email"}`, `"b"`, "", "must have the format email"},
		{"anyOf", `{"anyOf":[{"type":"null"}]}`, `1`, "", "must have one of the allowed forms"},
		{"oneOf", `{"oneOf":[true,true]}`, `1`, "", "must have exactly one of the allowed forms"},
		{"not", `{"not":true}`, `1`, "", "must not have this form"},
		{"minItems", `{"minItems":2}`, `[]`, "", "must have at least 2 items"},
		{"maxItems", `{"maxItems":1}`, `[1,2]`, "", "must have at most 1 item"},
		{"additionalItems", `{"items":[true],"additionalItems":false}`, `[1,2]`, "", "has too many items"},
		{"uniqueItems", `{"uniqueItems":true}`, `[1,2,1.0]`, "", "must not have the same item twice: items 0 and 2"},
		{"contains", `{"contains":{"const":1}}`, `[]`, "", "must have an item of the required form"},
		{"minProperties", `{"minProperties":1}`, `{}`, "", "must have at least 1 member"},
		{"maxProperties", `{"maxProperties":0}`, `{"a":1}`, "", "must have at most 0 members"},
		{"minLength counts characters", `{"minLength":3}`, `"ää"`, "", "must have at least 3 characters"},
		{"maxLength", `{"maxLength":1}`, `"ab"`, "", "must have at most 1 character"},
		{"multipleOf", `{"multipleOf":0.01}`, `0.015`, "", "must be a multiple of 0.01"},
		{"minimum", `{"minimum":1}`, `0`, "", "must be at least 1"},
		{"exclusiveMinimum", `{"exclusiveMinimum":0}`, `0`, "", "must be more than 0"},
		{"maximum", `{"maximum":1.5}`, `2`, "", "must be at most 1.5"},
		{"exclusiveMaximum", `{"exclusiveMaximum":2}`, `2`, "", "must be less than 2"},
		{"allOf says only what is wrong", `{"allOf":[{"minimum":1},{"minimum":1}]}`, `0`, "", "must be at least 1"},
		{"if and then", `{"if":{"required":["a"]},"then":{"required":["b"]}}`, `{"a":1}`, "/b", "is required"},
		{"if and else", `{"if":{"required":["a"]},"else":{"required":["b"]}}`, `{}`, "/b", "is required"},
		{"a name with dots and a separator", `{"additionalProperties":{"type":"null"}}`, `{"a.b\u0000~/c":1}`, "/a.b\x00~0~1c", "must be null, not an integer"},
		{"an empty name", `{"additionalProperties":{"type":"null"}}`, `{"":1}`, "/", "must be null, not an integer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := post(handler(t, c.schema), strings.NewReader(c.body), mediaType("application/json"))
			p := decode(t, w)
			want := httperror.Violation{Pointer: c.pointer, Message: c.message}
			if w.Code != 422 || !slices.Contains(p.Errors, want) {
				t.Errorf("%d %+v; want %+v", w.Code, p.Errors, want)
			}
			if c.name != "anyOf" && c.name != "propertyNames" && len(p.Errors) > 1 {
				t.Errorf("more than one: %+v", p.Errors)
			}
		})
	}
}
