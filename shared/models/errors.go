package models

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tandem-api/tandem/shared/database"
)

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not found")

// ErrorKind is what is unfit in a query.
type ErrorKind string

// The kinds of errors.
const (
	UnknownField    ErrorKind = "unknown field"
	UnknownRelation ErrorKind = "unknown relation"
	UnknownOperator ErrorKind = "unknown operator"
	WrongValue      ErrorKind = "wrong value"
	WrongCursor     ErrorKind = "wrong cursor"
	WrongSort       ErrorKind = "wrong sort"
	NotAllowed      ErrorKind = "not allowed" // by the allow-list of an untrusted query
)

// Error says what is unfit in a query or in a row to be written: nothing of it went
// to the database. Of an untrusted query (see Parse) and of a cursor, its text may be
// shown to the client; of any other query it tells of a fault in our own code.
type Error struct {
	Kind    ErrorKind
	Model   string   // the model: User
	Path    string   // as it was given: posts___title__icontains
	Name    string   // the part of it that is unfit
	Reason  string   // what is wrong, for a person
	Allowed []string // what would be fit, where that can be listed
}

func (e *Error) Error() string {
	text := e.Reason
	if e.Path != "" {
		text = e.Path + ": " + text
	}
	if len(e.Allowed) > 0 {
		text += " (allowed: " + strings.Join(e.Allowed, ", ") + ")"
	}
	return text
}

// ConflictError says that another row has a value that may be there only once.
type ConflictError struct {
	Model  string
	Fields []string // the fields that must differ, together
	cause  error
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s: %s is taken", e.Model, strings.Join(e.Fields, " with "))
}

func (e *ConflictError) Unwrap() error { return e.cause }

// ReferenceError says that a row names another that is not there, or that one which
// is to be deleted is named by others.
type ReferenceError struct {
	Model string
	cause error
}

func (e *ReferenceError) Error() string {
	return e.Model + ": the row that it belongs to is not there, or others belong to it"
}

func (e *ReferenceError) Unwrap() error { return e.cause }

// refused makes a typed error of what the database said to a row.
func (t *table) refused(doing string, err error) error {
	c, ok := errors.AsType[*database.ConstraintError](database.AsConstraint(err))
	switch {
	case !ok:
		return fmt.Errorf("%s: %w", doing, err)
	case c.Kind == database.Unique:
		return &ConflictError{Model: t.model, Fields: t.fieldsOf(c), cause: c}
	case c.Kind == database.ForeignKey:
		return &ReferenceError{Model: t.model, cause: c}
	}
	return fmt.Errorf("%s: %w", doing, c)
}

// fieldsOf returns the fields of a constraint: Postgres tells the index's name, SQLite
// the columns.
func (t *table) fieldsOf(c *database.ConstraintError) []string {
	if len(c.Columns) > 0 {
		return c.Columns
	}
	var names []string
	for _, index := range t.schema.ParseIndexes() {
		if index.Name != c.Name {
			continue
		}
		for _, f := range index.Fields {
			names = append(names, f.DBName)
		}
	}
	if len(names) == 0 {
		names = append(names, keyColumn) // the primary key's index has no name of ours
	}
	return names
}
