package models

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Serialize says what ToMap shows of a row besides its own fields.
type Serialize struct {
	// Nested are relations to be shown too: "author", "posts.comments". They must be
	// loaded: one that is not shows as null.
	Nested []string
	// Exclude are fields to be left out: "body", "posts.body".
	Exclude []string
}

// ToMap returns a row as a map that is fit for JSON, by the names of fields and
// relations. Private fields are never in it.
func (q Query[T]) ToMap(row T, how Serialize) (map[string]any, error) {
	t, err := q.table()
	if err != nil {
		return nil, err
	}
	tree, err := t.branches(how.Nested)
	if err != nil {
		return nil, err
	}
	for _, path := range how.Exclude {
		if err := t.checkField(path); err != nil {
			return nil, err
		}
	}
	return t.toMap(reflect.ValueOf(&row).Elem(), tree, "", how.Exclude), nil
}

// ToMaps is ToMap of many rows.
func (q Query[T]) ToMaps(rows []T, how Serialize) ([]map[string]any, error) {
	all := make([]map[string]any, len(rows))
	for i, row := range rows {
		var err error
		if all[i], err = q.ToMap(row, how); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// checkField checks a path such as "posts.body".
func (t *table) checkField(path string) error {
	relations, name := "", path
	if n := strings.LastIndexByte(path, '.'); n >= 0 {
		relations, name = path[:n], path[n+1:]
	}
	last := t
	if relations != "" {
		for part := range strings.SplitSeq(relations, ".") {
			r := last.relation(part)
			if r == nil {
				return unknownRelation(last, path, part)
			}
			last = r.table
		}
	}
	if last.column(name) == nil {
		return &Error{
			Kind: UnknownField, Model: last.model, Path: path, Name: name,
			Reason:  fmt.Sprintf("%s has no field %q", last.model, name),
			Allowed: last.columnNames(func(c *column) bool { return !c.private }),
		}
	}
	return nil
}

func (t *table) toMap(row reflect.Value, tree []branch, prefix string, exclude []string) map[string]any {
	ctx := context.Background()
	m := make(map[string]any, len(t.columns)+len(tree))
	for _, c := range t.columns {
		if !c.private && !slices.Contains(exclude, prefix+c.name) {
			m[c.name] = c.field.ReflectValueOf(ctx, row).Interface()
		}
	}
	for _, b := range tree {
		value := b.relation.field.ReflectValueOf(ctx, row)
		m[b.relation.name] = b.toValue(value, prefix+b.relation.name+".", exclude)
	}
	return m
}

func (b branch) toValue(v reflect.Value, prefix string, exclude []string) any {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return b.toValue(v.Elem(), prefix, exclude)
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = b.toValue(v.Index(i), prefix, exclude)
		}
		return list
	}
	return b.relation.table.toMap(v, b.branches, prefix, exclude)
}
