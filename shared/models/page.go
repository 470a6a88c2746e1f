package models

import (
	"context"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tandem-api/tandem/shared/database"
)

// MaxPage is the largest size of a page.
const MaxPage = 1000

// Page is some rows of a query, and where the next ones begin.
type Page[T any] struct {
	Items []T
	// Next is the cursor of the page that follows, "" on the last one.
	Next string
}

// Page returns the rows that follow a cursor, size at most. The first page has the
// cursor "", each next one what the page before gave. A cursor holds the sorted fields
// of the last row: rows that come or go meanwhile neither shift nor repeat the others,
// and it is as fast for the last page as for the first. It belongs to the order of the
// query; one of another order, or one that was tampered with, is an *Error of the kind
// WrongCursor. What the order takes from a relation is loaded too, as by WithJoined.
func (q Query[T]) Page(ctx context.Context, db *gorm.DB, cursor string, size int) (Page[T], error) {
	if size < 1 || size > MaxPage {
		return Page[T]{}, fmt.Errorf("a page of %d rows: 1 to %d are possible", size, MaxPage)
	}
	for _, field := range q.sort {
		if relation := relationOf(field); relation != "" {
			q = q.WithJoined(relation)
		}
	}
	p, err := q.plan(database.Dialect(db))
	if err != nil {
		return Page[T]{}, err
	}
	var after expression
	if cursor != "" {
		values, err := readCursor(p.table, p.order, cursor)
		if err != nil {
			return Page[T]{}, err
		}
		after = follow(p.order, values)
	}
	// One row more tells whether there is a page after this one.
	with := p.with
	p.with = nil
	rows, err := fetch[T](ctx, db, p, after, size+1)
	if err != nil {
		return Page[T]{}, err
	}
	page := Page[T]{Items: rows}
	if len(rows) > size {
		page.Items = rows[:size:size]
		if page.Next, err = writeCursor(ctx, p.table, p.order, &page.Items[size-1]); err != nil {
			return Page[T]{}, err
		}
	}
	return page, load(ctx, db, with, &page.Items)
}

// follow returns the condition that a row comes after one with those values.
func follow(keys []sortKey, values []any) expression {
	if len(keys) > 1 && oneWay(keys) {
		return followTuple(keys, values)
	}
	return func(w clause.Builder) {
		// (a after x) OR (a = x AND ((b after y) OR (b = y AND …)))
		for i, k := range keys {
			last := i == len(keys)-1
			if !last {
				writeString(w, "(")
			}
			k.after(w, values[i])
			if !last {
				writeString(w, " OR (")
				k.equal(w, values[i])
				writeString(w, " AND ")
			}
		}
		for range len(keys) - 1 {
			writeString(w, "))")
		}
	}
}

// oneWay tells whether all keys go in one direction and none may be NULL.
func oneWay(keys []sortKey) bool {
	for _, k := range keys {
		if k.null || k.down != keys[0].down {
			return false
		}
	}
	return true
}

// followTuple compares all keys at once, which both databases do by an index.
func followTuple(keys []sortKey, values []any) expression {
	return func(w clause.Builder) {
		writeString(w, "(")
		for i, k := range keys {
			if i > 0 {
				writeString(w, ",")
			}
			writeColumn(w, k.alias, k.column)
		}
		writeString(w, ") "+keys[0].sign()+" (")
		for i := range keys {
			if i > 0 {
				writeString(w, ",")
			}
			w.AddVar(w, values[i])
		}
		writeString(w, ")")
	}
}

func (k sortKey) sign() string {
	if k.down {
		return "<"
	}
	return ">"
}

// after writes that the key comes after the value; NULL is larger than any.
func (k sortKey) after(w clause.Builder, value any) {
	switch {
	case value == nil && k.down:
		writeColumn(w, k.alias, k.column)
		writeString(w, " IS NOT NULL")
	case value == nil:
		writeString(w, "1 = 0")
	case k.null && !k.down:
		writeString(w, "(")
		k.compare(w, value)
		writeString(w, " OR ")
		writeColumn(w, k.alias, k.column)
		writeString(w, " IS NULL)")
	default:
		k.compare(w, value)
	}
}

func (k sortKey) compare(w clause.Builder, value any) {
	writeColumn(w, k.alias, k.column)
	writeString(w, " "+k.sign()+" ")
	w.AddVar(w, value)
}

func (k sortKey) equal(w clause.Builder, value any) {
	writeColumn(w, k.alias, k.column)
	if value == nil {
		writeString(w, " IS NULL")
		return
	}
	writeString(w, " = ")
	w.AddVar(w, value)
}
