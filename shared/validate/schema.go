package validate

import (
	"fmt"
	"math"
	"strings"

	"github.com/xeipuuv/gojsonschema"
)

// Schema is a compiled JSON schema. Any number of requests may use it at once.
type Schema struct{ schema *gojsonschema.Schema }

// Compile reads a JSON schema of draft 4, 6 or 7; without $schema it is of draft 7. It
// refuses what the checks would ignore in silence: other drafts and their keywords,
// unknown keywords and formats, what stands beside a $ref; references outside of the
// document, and those that never end. Compile once, at start-up.
func Compile(text []byte) (*Schema, error) {
	document, outOfRange, err := parse(text, math.MaxInt64/weightPerByte)
	switch {
	case err != nil:
		return nil, fmt.Errorf("schema: %w", err)
	case outOfRange != nil:
		return nil, fmt.Errorf("schema: %s %s", outOfRange[0].Pointer, outOfRange[0].Message)
	}
	draft, err := draftOf(document)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	if err := (walker{draft, loops{document, map[string]bool{}}}).schema(document, ""); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	loader := gojsonschema.NewSchemaLoader()
	loader.Draft = draft
	loader.AutoDetect = false // it knows a draft by its exact URL only
	loader.Validate = true    // against the draft's own schema
	schema, err := loader.Compile(gojsonschema.NewRawLoader(document))
	if err != nil {
		return nil, fmt.Errorf("schema: %s", strings.TrimSpace(err.Error()))
	}
	return &Schema{schema}, nil
}

func draftOf(document any) (gojsonschema.Draft, error) {
	object, ok := document.(map[string]any)
	if !ok {
		return gojsonschema.Draft7, nil
	}
	uri, ok := object["$schema"]
	if !ok {
		return gojsonschema.Draft7, nil
	}
	text, _ := uri.(string)
	switch strings.TrimSuffix(text, "#") {
	case "http://json-schema.org/draft-07/schema", "https://json-schema.org/draft-07/schema":
		return gojsonschema.Draft7, nil
	case "http://json-schema.org/draft-06/schema":
		return gojsonschema.Draft6, nil
	case "http://json-schema.org/draft-04/schema":
		return gojsonschema.Draft4, nil
	}
	return 0, fmt.Errorf("$schema %q: only drafts 4, 6 and 7 are checked, such as http://json-schema.org/draft-07/schema#", uri)
}
