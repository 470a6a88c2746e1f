package models

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// maxShown is how many characters of a text Describe shows.
const maxShown = 40

// Describe returns a row for people: <Post #11 title:'Go at last'>, with the fields
// whose tag is model:"show". Long texts are cut. A model's String calls it.
func (q Query[T]) Describe(row *T) string {
	t, err := q.table()
	if err != nil {
		return fmt.Sprintf("<%T: %v>", *row, err)
	}
	r := reflect.ValueOf(row).Elem()
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "<%s #%d", t.model, t.base(row).ID) // a Builder does not fail
	for _, c := range t.columns {
		if c.shown && !c.private {
			_, _ = fmt.Fprintf(&b, " %s:%s", c.name, show(c.field.ReflectValueOf(context.Background(), r)))
		}
	}
	b.WriteByte('>')
	return b.String()
}

func show(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return "NULL"
		}
		v = v.Elem()
	}
	if t, ok := reflect.TypeAssert[time.Time](v); ok {
		return t.Format(time.RFC3339)
	}
	if v.Kind() != reflect.String {
		return fmt.Sprint(v.Interface())
	}
	text := v.String()
	if utf8.RuneCountInString(text) > maxShown {
		text = string([]rune(text)[:maxShown]) + "…"
	}
	return "'" + text + "'"
}
