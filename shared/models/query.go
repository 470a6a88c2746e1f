package models

import (
	"slices"

	"github.com/tandem-api/tandem/shared/database"
)

// Query asks for rows of a table. It never changes: each method returns another query,
// so one may be kept and built upon. What is wrong in it shows as a *Error when it
// runs; nothing is sent to the database then.
//
// Each method that runs it is one SQL statement, and one more for each relation of
// With. Rows come in the order of Sort, and in that of their ids where that leaves a
// choice.
type Query[T any] struct {
	table  func() (*table, error)
	where  []Condition
	sort   []string
	with   []string
	joined []string
	lock   bool
}

// Where asks for the rows that meet the condition, and all others of the query: see Is.
func (q Query[T]) Where(path string, value any) Query[T] { return q.Filter(Is(path, value)) }

// Filter asks for the rows that meet all of the conditions, and all others of the
// query.
func (q Query[T]) Filter(conditions ...Condition) Query[T] {
	q.where = slices.Concat(q.where, conditions)
	return q
}

// Sort orders by fields, the first before the second, from small to large or, with a
// minus before it, from large to small: "-created_at", "author___name". A path leads
// over relations of which a row has one at most. Texts are ordered by their bytes;
// NULL counts as larger than any value. It replaces an earlier Sort.
func (q Query[T]) Sort(fields ...string) Query[T] {
	q.sort = slices.Clone(fields)
	return q
}

// With loads relations too, by one more statement for each: "author", "posts.comments".
func (q Query[T]) With(relations ...string) Query[T] {
	q.with = slices.Concat(q.with, relations)
	return q
}

// WithJoined loads relations in the same statement, by joining them. It is for those
// of which a row has one at most: the others would repeat the row, use With for them.
func (q Query[T]) WithJoined(relations ...string) Query[T] {
	q.joined = slices.Concat(q.joined, relations)
	return q
}

// ForUpdate keeps others from changing the rows until the transaction ends. In SQLite
// every transaction does so.
func (q Query[T]) ForUpdate() Query[T] {
	q.lock = true
	return q
}

// Check returns what is wrong in the query, without running it.
func (q Query[T]) Check() error {
	_, err := q.plan(database.SQLite)
	return err
}

// Included returns the relations that the query loads, as With and WithJoined named
// them.
func (q Query[T]) Included() []string { return slices.Concat(q.joined, q.with) }
