package models

import (
	"slices"
	"strings"
)

// operator is one of the words after the two underscores.
type operator struct {
	name    string
	family  family
	sign    string // SQL's comparison, for compare and datePart
	part    string // year, month or day
	negated bool   // notin
	before  bool   // a pattern: anything may stand before the text
	after   bool   // … after it
	given   bool   // … the text is a pattern itself
	fold    bool   // … large and small letters are the same
}

type family byte

const (
	compare  family = iota // one value of the column's kind
	null                   // true or false
	list                   // values of the column's kind
	pair                   // two of them
	pattern                // a text
	datePart               // a whole number
)

// signs are the comparisons, which date parts have too.
var signs = []struct{ name, sign string }{
	{"exact", "="}, {"ne", "<>"}, {"gt", ">"}, {"ge", ">="}, {"lt", "<"}, {"le", "<="},
}

var others = []operator{
	{name: "isnull", family: null},
	{name: "in", family: list},
	{name: "notin", family: list, negated: true},
	{name: "between", family: pair},
	{name: "like", family: pattern, given: true},
	{name: "ilike", family: pattern, given: true, fold: true},
	{name: "startswith", family: pattern, after: true},
	{name: "istartswith", family: pattern, after: true, fold: true},
	{name: "endswith", family: pattern, before: true},
	{name: "iendswith", family: pattern, before: true, fold: true},
	{name: "contains", family: pattern, before: true, after: true},
	{name: "icontains", family: pattern, before: true, after: true, fold: true},
}

var dateParts = []string{"year", "month", "day"}

// findOperator returns the operator of that name. year alone compares as exact does.
func findOperator(name string) (operator, bool) {
	for _, s := range signs {
		if s.name == name {
			return operator{name: name, family: compare, sign: s.sign}, true
		}
	}
	for _, o := range others {
		if o.name == name {
			return o, true
		}
	}
	part, sign, compared := strings.Cut(name, "_")
	if !slices.Contains(dateParts, part) {
		return operator{}, false
	}
	if !compared {
		return operator{name: name, family: datePart, part: part, sign: "="}, true
	}
	for _, s := range signs[1:] {
		if s.name == sign {
			return operator{name: name, family: datePart, part: part, sign: s.sign}, true
		}
	}
	return operator{}, false
}

// fits tells whether the operator is for such a column.
func (o operator) fits(c *column) bool {
	switch {
	case o.family == null:
		return true
	case c.kind == isOther:
		return false
	case o.family == pattern:
		return c.kind == isText
	case o.family == datePart:
		return c.kind == isTime
	case c.kind == isBool:
		return o.family == list || o.sign == "=" || o.sign == "<>"
	}
	return true
}

// operatorsFor lists the names of those that fit the column.
func operatorsFor(c *column) []string {
	var names []string
	add := func(name string) {
		if o, ok := findOperator(name); ok && o.fits(c) {
			names = append(names, name)
		}
	}
	for _, s := range signs {
		add(s.name)
	}
	for _, o := range others {
		add(o.name)
	}
	for _, part := range dateParts {
		add(part)
		for _, s := range signs[1:] {
			add(part + "_" + s.name)
		}
	}
	return names
}
