package template

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// These read a property that Load itself needs; what is wrong with it is noted and
// the fallback returned, so that Load can go on to the next fault.

// optional is a property's text, "" where it has none.
func (r *resolver) optional(of *yaml.Node, name string) string {
	value, _, err := r.text(field(of, name))
	r.fail(err)
	return value
}

// number is a whole number, fallback where it is not given.
func (r *resolver) number(of *yaml.Node, name string, fallback, from, to int) int {
	n := field(of, name)
	text, ok, err := r.text(n)
	r.fail(err)
	if !ok {
		return fallback
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < from || v > to {
		r.fail(r.at(n, "%s is %q, and must be a whole number from %d to %d", name, text, from, to))
		return fallback
	}
	return v
}

// fraction is a number of 0 or more.
func (r *resolver) fraction(of *yaml.Node, name string) (v float64, ok bool) {
	n := field(of, name)
	text, ok, err := r.text(n)
	r.fail(err)
	if !ok {
		return 0, false
	}
	v, err = strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0) {
		r.fail(r.at(n, "%s is %q, and must be a number of 0 or more", name, text))
		return 0, false
	}
	return v, true
}

func (r *resolver) boolean(of *yaml.Node, name string) bool {
	n := field(of, name)
	text, ok, err := r.text(n)
	r.fail(err)
	if !ok {
		return false
	}
	switch strings.ToLower(text) {
	case "true":
		return true
	case "false":
		return false
	}
	r.fail(r.at(n, "%s is %q, and must be true or false", name, text))
	return false
}

func (r *resolver) textList(of *yaml.Node, name string) []string {
	all, err := r.texts(field(of, name))
	r.fail(err)
	return all
}

// mapping is a property that is a mapping, nil where there is none.
func (r *resolver) mapping(of *yaml.Node, name string) *yaml.Node {
	n, err := r.resolve(field(of, name))
	r.fail(err)
	if n == nil || n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.fail(r.at(n, "%s is not a mapping", name))
		return nil
	}
	return n
}
