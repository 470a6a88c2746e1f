package models

// Condition is what rows must meet. It names fields by path, and is checked against
// the model when the query runs.
type Condition struct {
	junction junction
	parts    []Condition
	path     string
	value    any
}

type junction byte

const (
	leaf junction = iota
	and
	or
	not
)

// Is returns the condition on one field: a path of relations, a field and an operator,
// such as "author___name__istartswith". Without an operator it is "exact". NULL meets
// no operator but isnull, as in SQL; nil with exact or ne asks for it too.
func Is(path string, value any) Condition { return Condition{path: path, value: value} }

// And is met where all of the parts are; without any, always.
//
// What stands in one And (or in one query) on the same has-many relation is about one
// and the same row of it, with an Or in it that is about nothing else; a Not stands
// for itself.
func And(parts ...Condition) Condition { return Condition{junction: and, parts: parts} }

// Or is met where any of the parts is; without any, never.
func Or(parts ...Condition) Condition { return Condition{junction: or, parts: parts} }

// Not is met where not all of the parts are. Of a has-many relation it says that there
// is no such row: Not(Is("posts___title", "x")) finds the users without a post x, and
// Is("posts___title__ne", "x") those with a post that is something else.
func Not(parts ...Condition) Condition { return Condition{junction: not, parts: parts} }
