package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tandem-api/tandem/shared/queue"
)

// The most that a client may ask for.
const (
	maxDelay   = 365 * 24 * 60 * 60 // seconds
	maxRetries = 100
)

// publicKinds returns the jobs that clients may ask for.
func publicKinds(all []queue.Declared) (map[string]queue.Definition, error) {
	kinds := map[string]queue.Definition{}
	for _, job := range all {
		d, err := job.Definition()
		if err != nil {
			return nil, err
		}
		if d.Public {
			kinds[d.Kind] = d
		}
	}
	if len(kinds) == 0 {
		return nil, errors.New("no job in shared/workers is public")
	}
	return kinds, nil
}

// object is a part of a JSON schema.
type object = map[string]any

// requestSchema describes the body of POST /jobs: any of the kinds, each with
// arguments that fit the kind's own schema.
func requestSchema(kinds map[string]queue.Definition) ([]byte, error) {
	names := slices.Sorted(maps.Keys(kinds))
	var rules []any
	for _, name := range names {
		var args any
		if err := json.Unmarshal([]byte(kinds[name].Schema), &args); err != nil {
			return nil, fmt.Errorf("the schema of the job %s: %w", name, err)
		}
		rules = append(rules, object{
			"if":   object{"required": []string{"kind"}, "properties": object{"kind": object{"const": name}}},
			"then": object{"properties": object{"args": args}},
		})
	}
	return json.Marshal(object{
		"$schema":              "http://json-schema.org/draft-07/schema#",
		"type":                 "object",
		"required":             []string{"kind", "args"},
		"additionalProperties": false,
		"properties": object{
			"kind":    object{"type": "string", "enum": names},
			"args":    object{},
			"queue":   object{"type": "string", "enum": slices.Sorted(maps.Keys(queue.Weights()))},
			"delay":   object{"type": "number", "minimum": 0, "maximum": maxDelay},
			"at":      object{"type": "string", "format": "date-time"},
			"unique":  object{"type": "boolean"},
			"retries": object{"type": "integer", "minimum": 0, "maximum": maxRetries},
		},
		"allOf": rules,
	})
}
