package fidelity

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Want is an answer. What it does not name may be anything.
type Want struct {
	Status   int         `yaml:"status"`
	Statuses map[int]int `yaml:"statuses"` // how many answers of each, for Times
	// Distinct is how many values the answers have among them, for Times, where the
	// names say, with dots between, in their bodies' JSON.
	Distinct map[string]int `yaml:"distinct"`
	// Headers by name: the value, ~PATTERN, or null for none. Several values are
	// joined with " | ".
	Headers map[string]*string `yaml:"headers"`
	Body    *string            `yaml:"body"`
	Base64  string             `yaml:"base64body"` // the body, where it is no text
	Length  *int               `yaml:"length"`     // of the body
	SHA256  string             `yaml:"sha256"`     // of the body, its first 16 digits
	// JSON is what the body has as JSON: of an object the members named here, null for
	// those that it must not have; and all else as it is. What the function saw is
	// told by it in this way.
	JSON yaml.Node `yaml:"json"`
}

func (w Want) empty() bool { return reflect.DeepEqual(w, Want{}) }

// Check returns what is wrong with an answer, nil if nothing is.
func (w Want) Check(a Answer) error {
	var wrong []error
	fail := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if w.Status != 0 && a.Status != w.Status {
		fail("the status is %d, not %d", a.Status, w.Status)
	}
	for name, want := range w.Headers {
		if got := a.Header.Values(name); !matches(want, got) {
			fail("the header %s is %q, not %s", name, got, text(want))
		}
	}
	if w.Body != nil && string(a.Body) != *w.Body {
		fail("the body is %.300q, not %.300q", a.Body, *w.Body)
	}
	if w.Base64 != "" {
		if want, err := base64.StdEncoding.DecodeString(w.Base64); err != nil || !bytes.Equal(a.Body, want) {
			fail("the body is %.300q, not %.300q (%w)", a.Body, want, err)
		}
	}
	if w.Length != nil && len(a.Body) != *w.Length {
		fail("the body has %d bytes, not %d", len(a.Body), *w.Length)
	}
	if sum := sha256.Sum256(a.Body); w.SHA256 != "" && hex.EncodeToString(sum[:8]) != w.SHA256 {
		fail("the body's hash is %x, not %s", sum[:8], w.SHA256)
	}
	if !w.JSON.IsZero() {
		if err := w.checkJSON(a.Body); err != nil {
			wrong = append(wrong, err)
		}
	}
	if wrong != nil {
		wrong = append(wrong, fmt.Errorf("the answer: %d %v\n%.2000s", a.Status, a.Header, a.Body))
	}
	return errors.Join(wrong...)
}

// Count holds the answers to requests at once against Statuses, and all against the
// rest, where that names no status.
func (w Want) Count(answers []Answer) error {
	got := map[int]int{}
	for _, a := range answers {
		got[a.Status]++
	}
	if w.Statuses != nil && !reflect.DeepEqual(got, w.Statuses) {
		return fmt.Errorf("the statuses are %v, not %v", got, w.Statuses)
	}
	var wrong []error
	for names, want := range w.Distinct {
		values := map[string]bool{}
		for _, a := range answers {
			values[valueAt(a.Body, names)] = true
		}
		if len(values) != want || values[""] {
			wrong = append(wrong, fmt.Errorf("%s has %d values, not %d: %q", names, len(values), want, slices.Sorted(maps.Keys(values))))
		}
	}
	for _, a := range answers {
		if w.Status == 0 || w.Statuses == nil || w.Status == a.Status {
			wrong = append(wrong, w.Check(a))
		}
	}
	return errors.Join(wrong...)
}

// valueAt is the JSON of what a body has where the names say, "" where it has nothing.
func valueAt(body []byte, names string) string {
	for name := range strings.SplitSeq(names, ".") {
		var object map[string]json.RawMessage
		if json.Unmarshal(body, &object) != nil {
			return ""
		}
		body = object[name]
	}
	return string(body)
}

func matches(want *string, got []string) bool {
	if want == nil {
		return len(got) == 0
	}
	all := strings.Join(got, " | ")
	if p, ok := pattern(*want); ok {
		return len(got) > 0 && p.MatchString(all)
	}
	return len(got) > 0 && all == *want
}

// pattern reads ~PATTERN, which holds for the whole of a value.
func pattern(s string) (*regexp.Regexp, bool) {
	expression, ok := strings.CutPrefix(s, "~")
	if !ok {
		return nil, false
	}
	p, err := regexp.Compile("^(?s:" + expression + ")$")
	return p, err == nil
}

func text(s *string) string {
	if s == nil {
		return "absent"
	}
	return fmt.Sprintf("%q", *s)
}

func (w Want) checkJSON(body []byte) error {
	var want, got any
	if err := w.JSON.Decode(&want); err != nil {
		return err
	}
	if err := json.Unmarshal(body, &got); err != nil {
		return fmt.Errorf("the body is no JSON: %w", err)
	}
	var wrong []error
	for _, difference := range differences("", want, got) {
		wrong = append(wrong, errors.New(difference))
	}
	return errors.Join(wrong...)
}

// differences compares what YAML wants with what JSON has.
func differences(at string, want, got any) []string {
	if members, ok := want.(map[string]any); ok {
		has, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %v, not an object", at, got)}
		}
		var all []string
		for _, name := range slices.Sorted(maps.Keys(members)) {
			value, there := has[name]
			switch {
			case members[name] == nil && there && value != nil:
				all = append(all, fmt.Sprintf("%s.%s is there: %v", at, name, value))
			case members[name] != nil:
				all = append(all, differences(at+"."+name, members[name], value)...)
			}
		}
		return all
	}
	if list, ok := want.([]any); ok {
		has, ok := got.([]any)
		if !ok || len(has) != len(list) {
			return []string{fmt.Sprintf("%s is %v, not %v", at, got, want)}
		}
		var all []string
		for i := range list {
			all = append(all, differences(fmt.Sprintf("%s[%d]", at, i), list[i], has[i])...)
		}
		return all
	}
	if s, ok := want.(string); ok {
		if p, isPattern := pattern(s); isPattern {
			if t, ok := got.(string); ok && p.MatchString(t) {
				return nil
			}
		}
	}
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(got)
	if !bytes.Equal(a, b) {
		return []string{fmt.Sprintf("%s is %s, not %s", at, b, a)}
	}
	return nil
}
