package models

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// maxHops is how many relations a path may walk.
const maxHops = 6

// bound is a condition that was checked: its path is resolved and its values fit.
type bound struct {
	junction junction
	parts    []bound
	hops     []*relation
	column   *column
	operator operator
	args     []any
}

// values counts what the condition hands to the database, at most.
func (b bound) values() int {
	n := len(b.args)
	for _, part := range b.parts {
		n += part.values()
	}
	return n
}

// bind checks a condition against the model.
func (t *table) bind(c Condition) (bound, error) {
	if c.junction == leaf {
		return t.bindLeaf(c)
	}
	b := bound{junction: c.junction, parts: make([]bound, len(c.parts))}
	for i, part := range c.parts {
		var err error
		if b.parts[i], err = t.bind(part); err != nil {
			return b, err
		}
	}
	return b, nil
}

func (t *table) bindLeaf(c Condition) (bound, error) {
	hops, last, rest, err := t.walk(c.path)
	if err != nil {
		return bound{}, err
	}
	field, name, given := strings.Cut(rest, "__")
	if !given {
		name = "exact"
	}
	b := bound{hops: hops, column: last.column(field)}
	if r := last.relation(field); r != nil && name == "isnull" {
		// A relation itself: is there none?
		b.hops, b.column = append(slices.Clip(hops), r), nil
	} else if b.column == nil {
		return b, &Error{
			Kind: UnknownField, Model: last.model, Path: c.path, Name: field,
			Reason:  fmt.Sprintf("%s has no field %q", last.model, field),
			Allowed: last.columnNames(sortable),
		}
	}
	var known bool
	if b.operator, known = findOperator(name); !known || b.column != nil && !b.operator.fits(b.column) {
		return b, &Error{
			Kind: UnknownOperator, Model: last.model, Path: c.path, Name: name,
			Reason: fmt.Sprintf("no operator %q for %s", name, b.column.kind), Allowed: operatorsFor(b.column),
		}
	}
	if b.args, err = b.arguments(c.value); err != nil {
		return b, &Error{Kind: WrongValue, Model: last.model, Path: c.path, Name: field, Reason: err.Error()}
	}
	if b.operator.family == compare && b.args[0] == nil {
		b.operator, b.args = operator{family: null}, []any{b.operator.sign == "="}
	}
	return b, nil
}

// walk resolves the relations of a path, and returns them, the table where they lead,
// and the last part, which is a field with its operator.
func (t *table) walk(path string) (hops []*relation, last *table, rest string, err error) {
	last, rest = t, path
	for {
		name, after, more := strings.Cut(rest, "___")
		if !more {
			return hops, last, rest, nil
		}
		r := last.relation(name)
		if r == nil {
			return nil, nil, "", unknownRelation(last, path, name)
		}
		if len(hops) == maxHops {
			return nil, nil, "", &Error{
				Kind: UnknownRelation, Model: last.model, Path: path, Name: name,
				Reason: fmt.Sprintf("the path is too long: %d relations at most", maxHops),
			}
		}
		hops, last, rest = append(hops, r), r.table, after
	}
}

func unknownRelation(t *table, path, name string) error {
	return &Error{
		Kind: UnknownRelation, Model: t.model, Path: path, Name: name,
		Reason: fmt.Sprintf("%s has no relation %q", t.model, name), Allowed: t.relationNames(),
	}
}

// arguments checks the value against what the operator takes.
func (b bound) arguments(v any) ([]any, error) {
	switch b.operator.family {
	case null:
		yes, ok := v.(bool)
		if !ok {
			return nil, wrongValue("true or false is wanted, not " + describe(v))
		}
		return []any{yes}, nil
	case list:
		return b.column.fitList(v)
	case pair:
		args, err := b.column.fitList(v)
		if err == nil && len(args) != 2 {
			err = wrongValue(fmt.Sprintf("two values are wanted, not %d", len(args)))
		}
		return args, err
	case pattern:
		arg, err := b.column.fit(v)
		if err != nil {
			return nil, err
		}
		return []any{arg}, checkPattern(b.operator, arg.(string))
	case datePart:
		return fitDatePart(b.operator.part, v)
	}
	if v == nil && (b.operator.sign == "=" || b.operator.sign == "<>") {
		return []any{nil}, nil
	}
	arg, err := b.column.fit(v)
	return []any{arg}, err
}

// fitDatePart checks the number of a year, a month or a day. A year becomes the first
// and the last moment of it, so that an index on the column serves.
func fitDatePart(part string, v any) ([]any, error) {
	r := reflect.ValueOf(v)
	if !r.IsValid() || !r.CanInt() {
		return nil, wrongValue("a whole number is wanted, not " + describe(v))
	}
	n, most := r.Int(), int64(31)
	switch part {
	case "year":
		most = 9999
	case "month":
		most = 12
	}
	if n < 1 || n > most {
		return nil, wrongValue(fmt.Sprintf("a %s from 1 to %d is wanted", part, most))
	}
	if part != "year" {
		return []any{n}, nil
	}
	first := time.Date(int(n), 1, 1, 0, 0, 0, 0, time.UTC)
	return []any{first, first.AddDate(1, 0, 0).Add(-time.Microsecond)}, nil
}
