package models

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// fitString makes a value of the column's kind of a text, such as one of a query string.
func (c *column) fitString(s string) (any, error) {
	switch c.kind {
	case isBool:
		switch s {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
	case isInt:
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return c.fitInt(n)
		}
	case isFloat:
		// ParseFloat takes hexadecimal and "inf" too, which are not JSON's numbers.
		if f, err := strconv.ParseFloat(s, 64); err == nil && strings.Trim(s, "0123456789+-.eE") == "" {
			return c.fit(f)
		}
	case isText:
		return fitText(s)
	case isTime:
		if t, ok := parseTime(s); ok {
			return c.fitTime(t)
		}
		return nil, wrongValue("a time such as 2026-11-23T12:00:00Z or 2026-11-23 is wanted")
	}
	return nil, wrongValue(string(c.kind) + " is wanted")
}

// fitJSON makes a value of the column's kind of one that was decoded from JSON. Unlike
// in a query string, a number is no text there.
func (c *column) fitJSON(v any) (any, error) {
	switch v := v.(type) {
	case float64: // where UseNumber was not
		if c.kind == isInt && v == math.Trunc(v) && math.Abs(v) <= 1<<53 {
			return c.fitInt(int64(v))
		}
		if c.kind == isFloat {
			return c.fit(v)
		}
	case string:
		if c.kind == isText || c.kind == isTime {
			return c.fitString(v)
		}
	case json.Number:
		if c.kind == isInt || c.kind == isFloat {
			return c.fitString(v.String())
		}
	case bool:
		return c.fit(v)
	}
	return nil, wrongValue(string(c.kind) + " is wanted")
}

// parseTime reads RFC 3339, or a day, which begins at midnight UTC.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
