package models

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Fields are values by the names of their fields.
type Fields map[string]any

// Fill sets fields of a row in memory: all of them, or none and an error. The values
// must be of the fields' own kinds, nil for NULL. An id and the times of Base are set
// by the helpers alone, and relations by their keys.
func (m Model[T]) Fill(row *T, fields Fields) error {
	t, err := m.table()
	if err != nil {
		return err
	}
	next := *row
	if err := t.fill(&next, fields); err != nil {
		return err
	}
	*row = next
	return nil
}

// FromJSON makes Fields of what was decoded from a JSON object: times are RFC 3339 there,
// and numbers may be float64. null is NULL, and an error for a field that has none.
func (m Model[T]) FromJSON(values map[string]any) (Fields, error) {
	t, err := m.table()
	if err != nil {
		return nil, err
	}
	fields := make(Fields, len(values))
	for name, v := range values {
		c := t.column(name)
		switch {
		case c == nil || c.managed():
			return nil, t.notSettable(name)
		case v == nil && c.nullable:
			fields[name] = nil
		default:
			fit, err := c.fitJSON(v)
			if err != nil {
				return nil, &Error{Kind: WrongValue, Model: t.model, Path: name, Name: name, Reason: err.Error()}
			}
			fields[name] = fit
		}
	}
	return fields, nil
}

func (t *table) notSettable(name string) error {
	return &Error{
		Kind: UnknownField, Model: t.model, Path: name, Name: name, Reason: fmt.Sprintf("%s has no field %q to set", t.model, name),
		Allowed: t.columnNames(func(c *column) bool { return !c.managed() && !c.private }),
	}
}

func (t *table) fill(row any, fields Fields) error {
	r := reflect.ValueOf(row).Elem()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		c := t.column(name)
		if c == nil || c.managed() {
			return t.notSettable(name)
		}
		v := fields[name]
		if isNil(v) && c.nullable {
			c.field.ReflectValueOf(context.Background(), r).SetZero()
			continue
		}
		if c.kind != isOther || isNil(v) {
			var err error
			if v, err = c.fit(v); err != nil {
				return &Error{Kind: WrongValue, Model: t.model, Path: name, Name: name, Reason: err.Error()}
			}
		}
		if err := c.set(context.Background(), r, v); err != nil {
			return &Error{Kind: WrongValue, Model: t.model, Path: name, Name: name, Reason: string(c.kind) + " is wanted"}
		}
	}
	return nil
}

// set sets the field of a row. gorm would write through a pointer that is there, which
// a copy of the row shares.
func (c *column) set(ctx context.Context, row reflect.Value, v any) error {
	if c.nullable {
		c.field.ReflectValueOf(ctx, row).SetZero()
	}
	return c.field.Set(ctx, row, v)
}

func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil()
}

// values returns the columns of a row as the database is given them, and sets the
// row's own to the same.
func (t *table) values(ctx context.Context, row any, wanted func(*column) bool) (map[string]any, error) {
	r := reflect.ValueOf(row).Elem()
	all := make(map[string]any, len(t.columns))
	for _, c := range t.columns {
		if !wanted(c) {
			continue
		}
		field := c.field.ReflectValueOf(ctx, r)
		v := field.Interface()
		if c.kind == isOther || c.nullable && field.IsNil() {
			all[c.name] = v
			continue
		}
		fit, err := c.fit(v)
		if err != nil {
			return nil, &Error{Kind: WrongValue, Model: t.model, Path: c.name, Name: c.name, Reason: err.Error()}
		}
		if c.kind == isTime {
			if err := c.set(ctx, r, fit); err != nil {
				return nil, err
			}
		}
		all[c.name] = fit
	}
	return all, nil
}
