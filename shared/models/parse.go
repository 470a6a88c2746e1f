package models

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Allow lists what an untrusted query string may ask for; all else is refused.
type Allow struct {
	// Filter are the fields to filter by, as paths: "name", "author___name". Of
	// "name__startswith" only that operator is allowed, of "name" each that fits.
	Filter []string
	// Sort are the fields to sort by.
	Sort []string
	// Include are the relations to load: "author", "comments.author".
	Include []string
	// Other are parameters that are read elsewhere, such as "cursor".
	Other []string
}

// The parameters of a query string that are no fields.
const (
	sortParameter    = "sort"
	includeParameter = "include"
	filterParameter  = "filter"
)

// maxConditions is how many conditions a query string may have.
const maxConditions = 50

// Parse adds to the query what an untrusted query string asks for:
//
//	?name__startswith=a&author___role=admin   conditions, all of them to be met
//	&id__in=1,2,3&id__between=4,9             lists; \, is a comma in a value
//	&filter={"or":[{"name":"a"},{"not":{"id__gt":9}}]}   nested ones, as JSON
//	&sort=-created_at,name                    the order
//	&include=author,comments.author           relations to load
//
// What the allow-list does not have, and what is unfit in any other way, is a *Error
// that may be shown to the client. The text of the client goes into values alone, never
// into the SQL. A fault in the allow-list itself is another error.
func (q Query[T]) Parse(values url.Values, allow Allow) (Query[T], error) {
	t, err := q.table()
	if err != nil {
		return q, err
	}
	if err := t.checkAllow(allow); err != nil {
		return q, err
	}
	p := parsing{table: t, allow: allow}
	var conditions []Condition
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if slices.Contains(allow.Other, key) {
			continue
		}
		if len(values[key]) != 1 {
			return q, &Error{Kind: WrongValue, Model: t.model, Path: shorten(key), Name: shorten(key), Reason: "is given more than once"}
		}
		value := values[key][0]
		switch {
		case key == sortParameter:
			q.sort, err = p.sort(value)
		case key == includeParameter:
			var with []string
			with, err = p.include(value)
			q = q.With(with...)
		case key == filterParameter && len(allow.Filter) > 0:
			var c Condition
			c, err = p.json(value)
			conditions = append(conditions, c)
		default:
			var c Condition
			c, err = p.condition(key, text(value))
			conditions = append(conditions, c)
		}
		if err != nil {
			return q, err
		}
	}
	return q.Filter(conditions...), nil
}

// checkAllow finds fields in an allow-list that the model does not have, or that are
// private: faults of ours.
func (t *table) checkAllow(allow Allow) error {
	for _, path := range slices.Concat(allow.Filter, allow.Sort) {
		_, last, rest, err := t.walk(path)
		if err != nil {
			return fmt.Errorf("allow-list of %s: %w", t.model, hidden{err})
		}
		field, name, given := strings.Cut(rest, "__")
		c := last.column(field)
		relation := name == "isnull" && last.relation(field) != nil
		if !relation && (c == nil || c.private) {
			return fmt.Errorf("allow-list of %s: %s is no field that may be shown", t.model, path)
		}
		if o, known := findOperator(name); given && !relation && (!known || !o.fits(c)) {
			return fmt.Errorf("allow-list of %s: %s: no such operator", t.model, path)
		}
	}
	if _, err := t.branches(allow.Include); err != nil {
		return fmt.Errorf("allow-list of %s: %w", t.model, hidden{err})
	}
	return nil
}

// hidden keeps a *Error from being taken for one of the client's.
type hidden struct{ error }

// parsing is the reading of one query string.
type parsing struct {
	table *table
	allow Allow
	count int // of conditions
}

func (p *parsing) refuse(kind ErrorKind, name, reason string, allowed []string) error {
	name = shorten(name)
	return &Error{Kind: kind, Model: p.table.model, Path: name, Name: name, Reason: reason, Allowed: allowed}
}

// shorten keeps an error from repeating a long text of the client's.
func shorten(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return strings.ToValidUTF8(s, "�")
}

func (p *parsing) sort(value string) ([]string, error) {
	fields := strings.Split(value, ",")
	for _, f := range fields {
		if !slices.Contains(p.allow.Sort, strings.TrimPrefix(f, "-")) {
			return nil, p.refuse(NotAllowed, sortParameter, fmt.Sprintf("%q cannot be sorted by", shorten(f)), p.allow.Sort)
		}
	}
	if _, err := (&scope{table: p.table, alias: p.table.name}).sortKeys(fields); err != nil {
		return nil, err
	}
	return fields, nil
}

func (p *parsing) include(value string) ([]string, error) {
	paths := strings.Split(value, ",")
	for _, path := range paths {
		if !slices.Contains(p.allow.Include, path) {
			return nil, p.refuse(NotAllowed, includeParameter, fmt.Sprintf("%q cannot be included", shorten(path)), p.allow.Include)
		}
	}
	return paths, nil
}

// given is a value of the client's: a text of the query string, or one out of JSON.
type given interface {
	// fit makes one value of it, for the column.
	fit(c *column) (any, error)
	// list makes several.
	list() ([]given, error)
	// flag makes true or false of it, whole a whole number.
	flag() (bool, error)
	whole() (int64, error)
}

// condition checks one condition against the allow-list, and makes its value.
func (p *parsing) condition(path string, value given) (Condition, error) {
	if p.count++; p.count > maxConditions {
		return Condition{}, p.refuse(NotAllowed, path, fmt.Sprintf("there are more than %d conditions", maxConditions), nil)
	}
	field, name := path, "exact"
	start := strings.LastIndex(path, "___")
	if start < 0 {
		start = 0
	} else {
		start += len("___")
	}
	if n := strings.Index(path[start:], "__"); n >= 0 {
		field, name = path[:start+n], path[start+n+len("__"):]
	}
	if !slices.Contains(p.allow.Filter, field) && !slices.Contains(p.allow.Filter, field+"__"+name) {
		return Condition{}, p.refuse(NotAllowed, path, "cannot be filtered by", p.allow.Filter)
	}
	_, last, rest, err := p.table.walk(path)
	if err != nil {
		return Condition{}, err
	}
	column, _, _ := strings.Cut(rest, "__")
	c := last.column(column)
	o, known := findOperator(name)
	if !known || c != nil && !o.fits(c) {
		return Condition{}, p.refuse(UnknownOperator, path, fmt.Sprintf("no operator %q for this field", shorten(name)), operatorsOf(c))
	}
	v, err := read(o, c, value)
	if err == nil {
		_, err = p.table.bind(Is(path, v))
	}
	if wrong, ok := errors.AsType[wrongValue](err); ok {
		return Condition{}, p.refuse(WrongValue, path, wrong.Error(), nil)
	}
	return Is(path, v), err
}

func operatorsOf(c *column) []string {
	if c == nil {
		return []string{"isnull"}
	}
	return operatorsFor(c)
}

// read makes the value that the operator takes.
func read(o operator, c *column, value given) (any, error) {
	switch o.family {
	case null:
		return value.flag()
	case datePart:
		return value.whole()
	case list, pair:
		all, err := value.list()
		if err != nil {
			return nil, err
		}
		values := make([]any, len(all))
		for i, g := range all {
			if values[i], err = g.fit(c); err != nil {
				return nil, err
			}
		}
		return values, nil
	}
	return value.fit(c)
}
