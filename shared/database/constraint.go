package database

import (
	"errors"
	"fmt"
	"strings"

	gosqlite "github.com/glebarez/go-sqlite"
	"github.com/jackc/pgx/v5/pgconn"
)

// ConstraintKind is a kind of rule that a table has for its rows.
type ConstraintKind string

// The kinds of constraints.
const (
	Unique     ConstraintKind = "unique"      // another row has the value already
	ForeignKey ConstraintKind = "foreign key" // the row that it names is not there, or is still named
	NotNull    ConstraintKind = "not null"    // a value is missing
	Check      ConstraintKind = "check"       // a value is not allowed
)

// ConstraintError says that the database refused a row.
type ConstraintError struct {
	Kind ConstraintKind
	// Name is the constraint's or its index's, where the database tells it.
	Name string
	// Columns are the columns concerned, where the database tells them.
	Columns []string
	cause   error
}

func (e *ConstraintError) Error() string {
	return fmt.Sprintf("%s constraint %s(%s): %v", e.Kind, e.Name, strings.Join(e.Columns, ", "), e.cause)
}

func (e *ConstraintError) Unwrap() error { return e.cause }

// SQLite's extended result codes, https://www.sqlite.org/rescode.html.
var sqliteKinds = map[int]ConstraintKind{
	2067: Unique, 1555: Unique, // SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY
	787:  ForeignKey, // SQLITE_CONSTRAINT_FOREIGNKEY
	1299: NotNull,    // SQLITE_CONSTRAINT_NOTNULL
	275:  Check,      // SQLITE_CONSTRAINT_CHECK
}

// Postgres' error codes of class 23,
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
var postgresKinds = map[string]ConstraintKind{
	"23505": Unique, "23503": ForeignKey, "23502": NotNull, "23514": Check,
}

// AsConstraint makes a *ConstraintError of the database's own error for a row that
// it refused, and returns any other error as it is.
func AsConstraint(err error) error {
	if e, ok := errors.AsType[*gosqlite.Error](err); ok {
		if kind, ok := sqliteKinds[e.Code()]; ok {
			return sqliteConstraint(kind, e)
		}
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		if kind, ok := postgresKinds[e.Code]; ok {
			c := &ConstraintError{Kind: kind, Name: e.ConstraintName, cause: err}
			if e.ColumnName != "" {
				c.Columns = []string{e.ColumnName}
			}
			return c
		}
	}
	return err
}

// sqliteConstraint reads the message, the only place where SQLite tells what was
// concerned: "… constraint failed: users.name, users.role (2067)", or the name of a
// check.
func sqliteConstraint(kind ConstraintKind, err *gosqlite.Error) *ConstraintError {
	c := &ConstraintError{Kind: kind, cause: err}
	text := err.Error()
	_, what, ok := strings.Cut(text[strings.LastIndex(text, "constraint failed")+1:], ": ")
	if !ok {
		return c
	}
	what, _, _ = strings.Cut(what, " (")
	if kind == Check {
		c.Name = what
		return c
	}
	for part := range strings.SplitSeq(what, ", ") {
		if _, column, ok := strings.Cut(part, "."); ok {
			c.Columns = append(c.Columns, column)
		}
	}
	return c
}

// Busy tells whether another process has SQLite's file locked.
func Busy(err error) bool {
	const busy = 5 // SQLITE_BUSY: https://www.sqlite.org/rescode.html#busy; its variants have it in their low byte
	e, ok := errors.AsType[*gosqlite.Error](err)
	return ok && e.Code()&0xff == busy
}
