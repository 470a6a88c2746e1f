package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// text is a value of a query string.
type text string

func (s text) fit(c *column) (any, error) { return c.fitString(string(s)) }

// list splits at commas, but for those after a backslash.
func (s text) list() ([]given, error) {
	var all []given
	var part []byte
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == ',' || s[i+1] == '\\'):
			i++
			part = append(part, s[i])
		case s[i] == ',':
			all = append(all, text(part))
			part = nil
		default:
			part = append(part, s[i])
		}
	}
	return append(all, text(part)), nil
}

func (s text) flag() (bool, error) {
	if s != "true" && s != "false" {
		return false, wrongValue("true or false is wanted")
	}
	return s == "true", nil
}

func (s text) whole() (int64, error) {
	n, err := strconv.ParseInt(string(s), 10, 64)
	if err != nil {
		return 0, wrongValue("a whole number is wanted")
	}
	return n, nil
}

// jsonValue is a value out of JSON, decoded with UseNumber.
type jsonValue struct{ v any }

func (j jsonValue) fit(c *column) (any, error) { return c.fitJSON(j.v) }

func (j jsonValue) list() ([]given, error) {
	values, ok := j.v.([]any)
	if !ok {
		return nil, wrongValue("a list is wanted")
	}
	all := make([]given, len(values))
	for i, v := range values {
		all[i] = jsonValue{v}
	}
	return all, nil
}

func (j jsonValue) flag() (bool, error) {
	if yes, ok := j.v.(bool); ok {
		return yes, nil
	}
	return false, wrongValue("true or false is wanted")
}

func (j jsonValue) whole() (int64, error) {
	if n, ok := j.v.(json.Number); ok {
		return text(n).whole()
	}
	return 0, wrongValue("a whole number is wanted")
}

// maxDepth is how deep and, or and not may be nested in a query string.
const maxDepth = 5

// json reads the parameter filter: an object whose members must all be met. A member is
// a path with its value, or "and" or "or" with a list of such objects, or "not" with one.
func (p *parsing) json(value string) (Condition, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(value)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return Condition{}, p.refuse(WrongValue, filterParameter, "is not JSON", nil)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) { // More would pass over a bracket
		return Condition{}, p.refuse(WrongValue, filterParameter, "is more than one JSON value", nil)
	}
	// encoding/json keeps the last of two members with one name: a condition would be lost.
	whole := jsontext.NewDecoder(strings.NewReader(value), jsontext.AllowInvalidUTF8(true))
	if _, err := whole.ReadValue(); errors.Is(err, jsontext.ErrDuplicateName) {
		return Condition{}, p.refuse(WrongValue, filterParameter, "has a name twice in one object", nil)
	} else if err != nil {
		return Condition{}, p.refuse(WrongValue, filterParameter, "is not JSON", nil)
	}
	return p.object(v, 1)
}

func (p *parsing) object(v any, depth int) (Condition, error) {
	if depth > maxDepth {
		return Condition{}, p.refuse(WrongValue, filterParameter, fmt.Sprintf("is nested deeper than %d", maxDepth), nil)
	}
	members, ok := v.(map[string]any)
	if !ok {
		return Condition{}, p.refuse(WrongValue, filterParameter, `an object such as {"name":"a"} is wanted`, nil)
	}
	var all []Condition
	for _, key := range slices.Sorted(maps.Keys(members)) {
		var c Condition
		var err error
		switch key {
		case "and", "or":
			c, err = p.junction(key, members[key], depth)
		case "not":
			c, err = p.object(members[key], depth+1)
			c = Not(c)
		default:
			c, err = p.condition(key, jsonValue{members[key]})
		}
		if err != nil {
			return Condition{}, err
		}
		all = append(all, c)
	}
	return And(all...), nil
}

func (p *parsing) junction(key string, v any, depth int) (Condition, error) {
	list, ok := v.([]any)
	if !ok {
		return Condition{}, p.refuse(WrongValue, filterParameter, fmt.Sprintf("a list is wanted for %q", key), nil)
	}
	if p.count += len(list); p.count > maxConditions {
		return Condition{}, p.refuse(NotAllowed, filterParameter, fmt.Sprintf("there are more than %d conditions", maxConditions), nil)
	}
	parts := make([]Condition, len(list))
	for i, item := range list {
		var err error
		if parts[i], err = p.object(item, depth+1); err != nil {
			return Condition{}, err
		}
	}
	if key == "and" {
		return And(parts...), nil
	}
	return Or(parts...), nil
}
