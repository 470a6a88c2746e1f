package models

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// loadKeys is how many keys one statement asks for: more are split.
const loadKeys = 10_000

// branch is a relation to be loaded, and what is to be loaded with it.
type branch struct {
	relation *relation
	branches []branch
}

// branches makes a tree of paths such as "posts.comments".
func (t *table) branches(paths []string) ([]branch, error) {
	var all []branch
	for _, path := range paths {
		at, in := t, &all
		for i, name := range strings.Split(path, ".") {
			r := at.relation(name)
			if r == nil || i == maxHops {
				return nil, unknownRelation(at, path, name)
			}
			n := slices.IndexFunc(*in, func(b branch) bool { return b.relation == r })
			if n < 0 {
				n = len(*in)
				*in = append(*in, branch{relation: r})
			}
			at, in = r.table, &(*in)[n].branches
		}
	}
	return all, nil
}

// joinedColumns joins the relations to the scope, and returns all columns of the
// statement under the names from which gorm fills the nested structs. Without any it
// returns nil.
func (s *scope) joinedColumns(paths []string) ([]clause.Column, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	tree, err := s.table.branches(paths)
	if err != nil {
		return nil, err
	}
	var columns []clause.Column
	for _, c := range s.table.columns {
		columns = append(columns, clause.Column{Table: s.alias, Name: c.name})
	}
	return s.addColumns(columns, tree, nil)
}

func (s *scope) addColumns(columns []clause.Column, tree []branch, above []*relation) ([]clause.Column, error) {
	for _, b := range tree {
		if b.relation.many {
			return nil, &Error{
				Kind: UnknownRelation, Model: s.table.model, Path: b.relation.name, Name: b.relation.name,
				Reason: fmt.Sprintf("a row has many %s, which cannot be joined to it: use With", b.relation.name),
			}
		}
		hops := append(slices.Clip(above), b.relation)
		into := make([]string, len(hops), len(hops)+1)
		for i, r := range hops {
			into[i] = r.goName
		}
		alias := s.to(hops)
		for _, c := range b.relation.table.columns {
			name := strings.Join(append(into, c.name), "__")
			columns = append(columns, clause.Column{Table: alias, Name: c.name, Alias: name})
		}
		var err error
		if columns, err = s.addColumns(columns, b.branches, hops); err != nil {
			return nil, err
		}
	}
	return columns, nil
}

// load fills the relations of the rows, which is a pointer to a slice of structs: one
// statement a relation, however many rows there are.
func load(ctx context.Context, db *gorm.DB, tree []branch, rows any) error {
	slice := reflect.ValueOf(rows).Elem()
	if slice.Len() == 0 {
		return nil
	}
	for _, b := range tree {
		if err := b.load(ctx, db, slice); err != nil {
			return fmt.Errorf("load %s: %w", b.relation.name, err)
		}
	}
	return nil
}

func (b branch) load(ctx context.Context, db *gorm.DB, owners reflect.Value) error {
	keys, wanted := b.keys(ctx, owners)
	found := map[any][]reflect.Value{}
	for chunk := range slices.Chunk(wanted, loadKeys) {
		others := reflect.New(reflect.SliceOf(b.relation.table.schema.ModelType))
		in := clause.IN{Column: clause.Column{Table: clause.CurrentTable, Name: b.relation.to.name}, Values: chunk}
		order := clause.OrderByColumn{Column: clause.Column{Table: clause.CurrentTable, Name: keyColumn}}
		tx := db.WithContext(ctx).Clauses(in, clause.OrderBy{Columns: []clause.OrderByColumn{order}})
		if err := tx.Find(others.Interface()).Error; err != nil {
			return err
		}
		if err := load(ctx, db, b.branches, others.Interface()); err != nil {
			return err
		}
		for i := range others.Elem().Len() {
			other := others.Elem().Index(i)
			key := keyOf(ctx, b.relation.to, other)
			found[key] = append(found[key], other)
		}
	}
	for i := range owners.Len() {
		b.relation.set(ctx, owners.Index(i), found[keys[i]])
	}
	return nil
}

// keys returns what each owner is related by, nil for none, and each of them once.
func (b branch) keys(ctx context.Context, owners reflect.Value) (each, once []any) {
	each = make([]any, owners.Len())
	seen := map[any]bool{}
	for i := range each {
		key := keyOf(ctx, b.relation.from, owners.Index(i))
		each[i] = key
		if key != nil && !seen[key] {
			seen[key] = true
			once = append(once, key)
		}
	}
	return each, once
}

// keyOf returns a field as something that can be compared, nil for NULL.
func keyOf(ctx context.Context, c *column, row reflect.Value) any {
	v := c.field.ReflectValueOf(ctx, row)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	return v.Interface()
}

// set puts what was found into the owner's field, which is a slice, a pointer or a
// struct. A slice is never nil after it: nil is one that was not loaded.
func (r *relation) set(ctx context.Context, owner reflect.Value, found []reflect.Value) {
	field := r.field.ReflectValueOf(ctx, owner)
	if r.many {
		list := reflect.MakeSlice(field.Type(), 0, len(found))
		for _, f := range found {
			if field.Type().Elem().Kind() == reflect.Pointer {
				f = f.Addr()
			}
			list = reflect.Append(list, f)
		}
		field.Set(list)
		return
	}
	if len(found) == 0 {
		field.SetZero()
		return
	}
	if field.Kind() == reflect.Pointer {
		field.Set(found[0].Addr())
		return
	}
	field.Set(found[0])
}
