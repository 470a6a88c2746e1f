package models

import (
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm/clause"
)

// sortKey is one field of an order.
type sortKey struct {
	path   string // as it was given, without the minus
	hops   []*relation
	column *column
	alias  string
	down   bool
	null   bool // the value may be NULL, for itself or for a row that is not there
}

// sortKeys checks the fields of an order, joins to the scope what they need, and ends
// them with the id: an order that leaves a choice is none.
func (s *scope) sortKeys(fields []string) ([]sortKey, error) {
	keys := make([]sortKey, 0, len(fields)+1)
	for _, field := range fields {
		k, err := s.sortKey(field)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(keys, func(o sortKey) bool { return o.path == k.path }) {
			return nil, &Error{Kind: WrongSort, Model: s.table.model, Path: field, Name: k.path, Reason: "is sorted by twice"}
		}
		keys = append(keys, k)
	}
	isKey := func(k sortKey) bool { return len(k.hops) == 0 && k.column == s.table.key }
	if n := slices.IndexFunc(keys, isKey); n >= 0 {
		return keys[:n+1], nil // nothing after it would change the order
	}
	last := sortKey{path: keyColumn, column: s.table.key, alias: s.alias}
	if n := len(keys); n > 0 {
		last.down = keys[n-1].down // one direction, where possible, is one walk of an index
	}
	return append(keys, last), nil
}

func (s *scope) sortKey(field string) (sortKey, error) {
	path, down := strings.CutPrefix(field, "-")
	hops, last, name, err := s.table.walk(path)
	if err != nil {
		return sortKey{}, err
	}
	if n := firstMany(hops); n >= 0 {
		return sortKey{}, &Error{
			Kind: WrongSort, Model: s.table.model, Path: field, Name: hops[n].name,
			Reason: fmt.Sprintf("a row has many %s: there is no order by them", hops[n].name),
		}
	}
	c := last.column(name)
	if c == nil || c.kind == isOther {
		return sortKey{}, &Error{
			Kind: UnknownField, Model: last.model, Path: field, Name: name,
			Reason:  fmt.Sprintf("%s has no field %q to sort by", last.model, name),
			Allowed: last.columnNames(sortable),
		}
	}
	// A related row may be missing.
	null := c.nullable || len(hops) > 0
	return sortKey{path: path, hops: hops, column: c, alias: s.to(hops), down: down, null: null}, nil
}

// sortable tells the columns that one may sort and filter by, as inspection and errors
// list them.
func sortable(c *column) bool { return c.kind != isOther && !c.private }

// orderBy writes the order. The place of NULL is said only where one may be, since the
// databases differ in it, and Postgres uses an index for its own alone.
func orderBy(keys []sortKey) expression {
	return func(w clause.Builder) {
		for i, k := range keys {
			if i > 0 {
				writeString(w, ",")
			}
			writeColumn(w, k.alias, k.column)
			if k.down {
				writeString(w, " DESC")
			}
			switch {
			case k.null && k.down:
				writeString(w, " NULLS FIRST")
			case k.null:
				writeString(w, " NULLS LAST")
			}
		}
	}
}
