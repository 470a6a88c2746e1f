package models

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// maxCursor bounds a cursor, in bytes.
const maxCursor = 8192

// relationOf returns the relation that a sorted field is taken from, as With names it.
func relationOf(field string) string {
	path := strings.TrimPrefix(field, "-")
	n := strings.LastIndex(path, "___")
	if n < 0 {
		return ""
	}
	return strings.ReplaceAll(path[:n], "___", ".")
}

// signature tells the order that a cursor belongs to. It guards against mistakes, not
// against forgery: a forged cursor is a position like any other.
func signature(t *table, keys []sortKey) string {
	sum := uint32(2166136261) // FNV-1a, without its allocations
	add := func(s string) {
		for i := range len(s) {
			sum = (sum ^ uint32(s[i])) * 16777619
		}
	}
	add(t.name)
	for _, k := range keys {
		add(k.sign())
		add(k.path)
	}
	return strconv.FormatUint(uint64(sum), 36)
}

// writeCursor returns the cursor of a row, which has loaded what the keys need.
func writeCursor(ctx context.Context, t *table, keys []sortKey, row any) (string, error) {
	list := []any{signature(t, keys)}
	for _, k := range keys {
		at := reflect.ValueOf(row).Elem()
		for _, r := range k.hops {
			at = reflect.Indirect(r.field.ReflectValueOf(ctx, at))
			if !at.IsValid() {
				break
			}
		}
		if !at.IsValid() {
			list = append(list, nil)
			continue
		}
		value, _ := k.column.field.ValueOf(ctx, at)
		r := reflect.ValueOf(value)
		if r.Kind() == reflect.Pointer && r.IsNil() {
			list = append(list, nil)
			continue
		}
		fit, err := k.column.fit(value)
		if err != nil {
			return "", fmt.Errorf("cursor: %s: %w", k.path, err)
		}
		if at, ok := fit.(time.Time); ok {
			fit = at.Format(time.RFC3339Nano)
		}
		list = append(list, fit)
	}
	text, err := json.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("cursor: %w", err)
	}
	cursor := base64.RawURLEncoding.EncodeToString(text)
	if len(cursor) > maxCursor { // readCursor would refuse it
		return "", &Error{
			Kind: WrongSort, Model: t.model, Name: "sort", Path: "sort",
			Reason: fmt.Sprintf("the sorted values of row %v are too long for a cursor", list[len(list)-1]),
		}
	}
	return cursor, nil
}

// readCursor returns the values of the keys.
func readCursor(t *table, keys []sortKey, cursor string) ([]any, error) {
	wrong := func(reason string) error {
		return &Error{Kind: WrongCursor, Model: t.model, Name: "cursor", Path: "cursor", Reason: reason}
	}
	if len(cursor) > maxCursor {
		return nil, wrong("is not one of ours")
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return nil, wrong("is not one of ours")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var list []any
	if err := d.Decode(&list); err != nil || d.InputOffset() != int64(len(text)) || len(list) < 1 {
		return nil, wrong("is not one of ours")
	}
	if list[0] != signature(t, keys) || len(list) != len(keys)+1 {
		return nil, wrong("belongs to another order")
	}
	values := list[1:]
	for i, k := range keys {
		if values[i] == nil && k.null {
			continue
		}
		if values[i], err = k.column.fitJSON(values[i]); err != nil {
			return nil, wrong("is not one of ours")
		}
	}
	return values, nil
}
