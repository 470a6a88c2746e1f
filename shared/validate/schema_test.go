package validate_test

import (
	"strings"
	"testing"

	"github.com/tandem-api/tandem/shared/validate"
)

func TestCompileAccepts(t *testing.T) {
	for name, schema := range map[string]string{
		"draft 7":                         `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}`,
		"draft 7 without the fragment":    `{"$schema":"http://json-schema.org/draft-07/schema","if":{"type":"string"},"then":{"minLength":1}}`,
		"draft 6":                         `{"$schema":"http://json-schema.org/draft-06/schema#","const":1}`,
		"draft 4":                         `{"$schema":"http://json-schema.org/draft-04/schema#","minimum":1,"exclusiveMinimum":true}`,
		"no draft is draft 7":             `{"minimum":1,"exclusiveMinimum":1}`,
		"a schema that is true":           `true`,
		"a URL of its own":                `{"$id":"https://api.example/order","properties":{"a":{"$ref":"#/definitions/a"}},"definitions":{"a":{"type":"string"}}}`,
		"a schema that holds itself":      `{"properties":{"next":{"$ref":"#"}}}`,
		"the same schema twice":           `{"allOf":[{"$ref":"#/definitions/a"},{"$ref":"#/definitions/a"}],"definitions":{"a":{"anyOf":[{"items":{"$ref":"#"}}]}}}`,
		"a root that refers into itself":  `{"$schema":"http://json-schema.org/draft-07/schema#","$ref":"#/definitions/a","definitions":{"a":{"type":"string"}}}`,
		"keywords as names":               `{"properties":{"$ref":{"type":"string"},"$id":{},"format":{},"unheard":{}},"required":["$ref"]}`,
		"anything in an example":          `{"default":{"$ref":"x"},"examples":[{"$id":1}],"enum":[{"unheard":1}],"const":{"unheard":1}}`,
		"dependencies of both kinds":      `{"dependencies":{"a":["b"],"c":{"required":["d"]}}}`,
		"items of both kinds":             `{"items":[{"type":"string"},true],"additionalItems":{"items":{"type":"number"}}}`,
		"a format that is checked":        `{"format":"date-time"}`,
		"what draft 7 says about reading": `{"readOnly":true,"$comment":"x","title":"t","description":"d"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := validate.Compile([]byte(schema)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, c := range []struct{ name, schema, want string }{
		{"draft 2019-09", `{"$schema":"https://json-schema.org/draft/2019-09/schema"}`, "only drafts 4, 6 and 7"},
		{"draft 2020-12", `{"$schema":"https://json-schema.org/draft/2020-12/schema"}`, "only drafts 4, 6 and 7"},
		{"draft 3", `{"$schema":"http://json-schema.org/draft-03/schema#"}`, "only drafts 4, 6 and 7"},
		{"a draft that is no text", `{"$schema":7}`, "only drafts 4, 6 and 7"},
		{"a keyword of a later draft", `{"properties":{"a":{"dependentRequired":{}}}}`, "/properties/a/dependentRequired: dependentRequired is no keyword that is checked"},
		{"a misspelt keyword", `{"items":{"requierd":["a"]}}`, "/items/requierd"},
		{"a misspelt keyword in a list", `{"items":[{},{"allOf":[{"minLenght":1}]}]}`, "/items/1/allOf/0/minLenght"},
		{"a keyword of draft 7 in draft 6", `{"$schema":"http://json-schema.org/draft-06/schema#","if":true}`, "/if: if is no keyword of draft 6"},
		{"a keyword of draft 6 in draft 4", `{"$schema":"http://json-schema.org/draft-04/schema#","const":1}`, "/const: const is no keyword of draft 4"},
		{"a format that nobody checks", `{"properties":{"a/b":{"format":"phone"}}}`, `/properties/a~1b/format: the format "phone" is not checked`},
		{"a reference to the network", `{"properties":{"a":{"$ref":"http://127.0.0.1:1/schema.json"}}}`, "a reference must be to this document"},
		{"a reference to a file", `{"items":{"$ref":"file:///etc/passwd"}}`, "a reference must be to this document"},
		{"a reference to a file beside it", `{"items":{"$ref":"thing.json#/definitions/a"}}`, "a reference must be to this document"},
		{"a reference by an anchor", `{"items":{"$ref":"#item"}}`, "a reference must be to this document"},
		{"a schema that is itself", `{"$ref":"#"}`, "#: refers to itself without end"},
		{"a schema that is one of itself", `{"properties":{"a":{"oneOf":[{"type":"null"},{"$ref":"#/properties/a"}]}}}`, "#/properties/a: refers to itself without end"},
		{"a circle of references", `{"items":{"$ref":"#/definitions/a%2Fb"},"definitions":{"a/b":{"$ref":"#/definitions/c"},"c":{"not":{"$ref":"#/definitions/a~1b"}}}}`, "refers to itself without end"},
		{"a circle over dependencies", `{"dependencies":{"x":{"if":{"$ref":"#"}}}}`, "refers to itself without end"},
		{"a circle over a list", `{"anyOf":[{"$ref":"#/anyOf/1"},{"$ref":"#/anyOf/0"}]}`, "refers to itself without end"},
		{"a reference to nothing", `{"items":{"$ref":"#/definitions/missing"}}`, "no key 'definitions'"},
		{"a keyword beside a reference", `{"items":{"$ref":"#/definitions/a","minLength":1},"definitions":{"a":{}}}`, "/items/minLength: minLength has no effect beside $ref"},
		{"an id within", `{"items":{"$id":"https://api.example/item"}}`, "$id must be at the root"},
		{"a type that is none", `{"type":"text"}`, "type"},
		{"a keyword of the wrong type", `{"required":"a"}`, "required"},
		{"a pattern that is none", `{"pattern":"("}`, "pattern"},
		{"an empty enum", `{"enum":[]}`, "enum"},
		{"a limit below zero", `{"minLength":-1}`, "minLength"},
		{"a schema that is a list", `[]`, "type"},
		{"trailing garbage", `{"type":"object"} {}`, "line 1, column 19: there is more after the JSON document"},
		{"a name twice", "{\"type\":\"object\",\n\"type\":\"array\"}", "line 2, column 1: a name stands twice in one object"},
		{"no JSON", `type: object`, "line 1, column 2"},
		{"nothing", ``, "the document ends too early"},
		{"a limit of a billion digits", `{"maximum":1e999999999}`, "/maximum is a number out of range"},
		{"every fault at once", `{"a":1,"b":2}`, "/b: b is no keyword"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := validate.Compile([]byte(c.schema))
			if err == nil || s != nil {
				t.Fatal("compiled")
			}
			if !strings.HasPrefix(err.Error(), "schema: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q does not contain %q", err, c.want)
			}
		})
	}
}
