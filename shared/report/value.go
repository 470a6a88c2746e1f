package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/report/scrub"
)

const (
	maxKey   = 128     // bytes of a name
	maxValue = 2 << 10 // bytes of a value
	maxItems = 100     // in one list or object
	maxDepth = 8       // of lists and objects in each other
)

// value returns a copy of v that encodes as JSON, without secrets and bounded. It
// keeps nothing of v: the report waits while its giver goes on to change it.
func (b *budget) value(v any, depth int) any {
	if depth > maxDepth || !b.spend(len(`"":,`)) {
		return "…"
	}
	switch v := v.(type) {
	case nil, bool:
		b.spend(len("false"))
		return v
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		b.spend(len("-9223372036854775808"))
		return v
	case json.Number:
		return b.number(v)
	case string:
		return b.text(v, maxValue)
	case config.Secret:
		return scrub.Hidden
	case []byte:
		return b.text(string(v[:min(len(v), 4*maxValue)]), maxValue)
	case time.Time:
		return b.text(v.Format(time.RFC3339Nano), maxValue)
	case time.Duration:
		return b.text(v.String(), maxValue)
	case slog.Value:
		return b.logged(v, depth)
	case slog.LogValuer:
		return b.logged(slog.AnyValue(v), depth)
	case error:
		return b.text(safeText(v), maxValue)
	case map[string]any:
		return b.object(v, depth)
	case []any:
		return b.list(v, depth)
	default:
		return b.value(plain(v), depth)
	}
}

func (b *budget) object(v map[string]any, depth int) map[string]any {
	out := make(map[string]any, min(len(v), maxItems))
	for _, key := range slices.Sorted(maps.Keys(v)) {
		if len(out) == maxItems || b.left <= 0 {
			out["…"] = fmt.Sprintf("%d more", len(v)-len(out))
			break
		}
		if scrub.Key(key) {
			out[b.text(key, maxKey)] = b.text(scrub.Hidden, maxKey)
			continue
		}
		out[b.text(key, maxKey)] = b.value(v[key], depth+1)
	}
	return out
}

func (b *budget) list(v []any, depth int) []any {
	out := make([]any, 0, min(len(v), maxItems))
	for _, item := range v {
		if len(out) == maxItems || b.left <= 0 {
			return append(out, fmt.Sprintf("… %d more", len(v)-len(out)))
		}
		out = append(out, b.value(item, depth+1))
	}
	return out
}

// number keeps a number as it was written, unless someone wrote a book of digits.
func (b *budget) number(v json.Number) any {
	if len(v) > 64 {
		return b.text(v.String(), maxValue)
	}
	b.spend(len(v))
	return v
}

// logged takes a value of a log's attribute.
func (b *budget) logged(v slog.Value, depth int) any {
	v = v.Resolve()
	if v.Kind() != slog.KindGroup {
		return b.value(v.Any(), depth)
	}
	group := make(map[string]any, len(v.Group()))
	for _, attr := range v.Group() {
		group[attr.Key] = attr.Value
	}
	return b.object(group, depth)
}

// plain turns any other type into what its JSON decodes to, so that the fields of a
// struct are seen by their names. What has no JSON becomes text.
func plain(v any) (out any) {
	defer func() {
		if recover() != nil { // its MarshalJSON panicked
			out = fmt.Sprintf("[%T]", v)
		}
	}()
	encoded, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("[%T]", v)
	}
	d := json.NewDecoder(bytes.NewReader(encoded))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		return fmt.Sprintf("[%T]", v)
	}
	return out
}
