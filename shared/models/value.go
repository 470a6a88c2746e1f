package models

import (
	"math"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// maxList is how many values one condition may hold, and maxValues all of a query: SQLite
// takes 32,766 in a statement and Postgres 65,535, and a cursor brings some more.
const (
	maxList   = 10_000
	maxValues = 30_000
)

// wrongValue is a value's fault, before it is known where the value stood.
type wrongValue string

func (w wrongValue) Error() string { return string(w) }

// fit makes of v what the database is given for the column, or says why it cannot. Only
// a value of the column's own kind fits; nil does not.
func (c *column) fit(v any) (any, error) {
	if t, ok := v.(time.Time); ok {
		return c.fitTime(t)
	}
	r := reflect.ValueOf(v)
	for r.Kind() == reflect.Pointer && !r.IsNil() {
		r = r.Elem()
	}
	if !r.IsValid() || r.Kind() == reflect.Pointer {
		return nil, wrongValue(string(c.kind) + " is wanted, not nil")
	}
	if t, ok := reflect.TypeAssert[time.Time](r); ok {
		return c.fitTime(t)
	}
	switch {
	case c.kind == isBool && r.Kind() == reflect.Bool:
		return r.Bool(), nil
	case c.kind == isInt && r.CanInt():
		return c.fitInt(r.Int())
	case c.kind == isInt && r.CanUint():
		if r.Uint() > math.MaxInt64 {
			return nil, wrongValue("the number is too large")
		}
		return c.fitInt(int64(r.Uint()))
	case c.kind == isFloat && (r.CanInt() || r.CanFloat()):
		return c.fitFloat(r)
	case c.kind == isText && r.Kind() == reflect.String:
		return fitText(r.String())
	}
	return nil, wrongValue(string(c.kind) + " is wanted, not " + describe(v))
}

// fitInt refuses what the column's Go type cannot hold: Postgres would fail on it.
func (c *column) fitInt(n int64) (any, error) {
	t := c.field.IndirectFieldType
	if t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64 {
		if n < 0 || reflect.Zero(t).OverflowUint(uint64(n)) {
			return nil, wrongValue("the number is out of range")
		}
	} else if reflect.Zero(t).OverflowInt(n) {
		return nil, wrongValue("the number is out of range")
	}
	return n, nil
}

func (c *column) fitFloat(r reflect.Value) (any, error) {
	if r.CanInt() {
		return float64(r.Int()), nil
	}
	f := r.Float()
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, wrongValue("a finite number is wanted")
	}
	return f, nil
}

// fitText refuses what Postgres cannot store and SQLite would cut off.
func fitText(s string) (any, error) {
	if !utf8.ValidString(s) {
		return nil, wrongValue("the text is not UTF-8")
	}
	if strings.IndexByte(s, 0) >= 0 {
		return nil, wrongValue("the text holds a NUL")
	}
	return s, nil
}

func (c *column) fitTime(t time.Time) (any, error) {
	if c.kind != isTime {
		return nil, wrongValue(string(c.kind) + " is wanted, not a time")
	}
	t = storedTime(t)
	if t.Year() < 1 || t.Year() > 9999 {
		return nil, wrongValue("a year from 1 to 9999 is wanted")
	}
	return t, nil
}

// storedTime is t as both databases keep it: in UTC, to the microsecond. SQLite compares
// times as texts, so they must all be written in one way.
func storedTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// fitList makes a list of v, which is a slice of what fits the column.
func (c *column) fitList(v any) ([]any, error) {
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Slice && r.Kind() != reflect.Array {
		return nil, wrongValue("a list is wanted, not " + describe(v))
	}
	if r.Len() > maxList {
		return nil, wrongValue("the list is too long: 10000 values at most")
	}
	all := make([]any, r.Len())
	for i := range all {
		fit, err := c.fit(r.Index(i).Interface())
		if err != nil {
			return nil, err
		}
		all[i] = fit
	}
	return all, nil
}

// describe names v's kind in the words of the others, or its Go type.
func describe(v any) string {
	if v == nil {
		return "nil"
	}
	t := reflect.TypeOf(v)
	if k := kindOf(t); k != isOther {
		return string(k)
	}
	return "a Go " + t.String()
}
