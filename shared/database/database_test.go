package database_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
)

func TestTransactionIsWholeOrNothing(t *testing.T) {
	fail := errors.New("changed my mind")
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		exec(t, db, "CREATE TABLE t (a int)")
		err := database.Transaction(t.Context(), db, func(tx *gorm.DB) error {
			exec(t, tx, "INSERT INTO t VALUES (1)")
			return fail
		})
		if !errors.Is(err, fail) {
			t.Errorf("the error is %v", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = database.Transaction(t.Context(), db, func(tx *gorm.DB) error {
				exec(t, tx, "INSERT INTO t VALUES (2)")
				panic(fail)
			})
		}()
		ctx, cancel := context.WithCancel(t.Context())
		err = database.Transaction(ctx, db, func(tx *gorm.DB) error {
			exec(t, tx, "INSERT INTO t VALUES (3)")
			cancel()
			return nil
		})
		if err == nil {
			t.Error("committed after the context's end")
		}
		if n := scan[int](t, db, "SELECT count(*) FROM t"); n != 0 {
			t.Errorf("%d rows stayed", n)
		}
		if err := database.Transaction(t.Context(), db, func(tx *gorm.DB) error {
			exec(t, tx, "INSERT INTO t VALUES (4)")
			return nil
		}); err != nil {
			t.Error(err)
		}
		if n := scan[int](t, db, "SELECT count(*) FROM t"); n != 1 {
			t.Errorf("%d rows after a commit", n)
		}
	})
}

func TestTimesComeBackInUTC(t *testing.T) {
	tokyo := time.FixedZone("Tokyo", 9*60*60)
	noon := time.Date(2026, 11, 23, 12, 0, 0, 123456000, tokyo)
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		exec(t, db, "CREATE TABLE t (at "+map[string]string{database.SQLite: "datetime", database.Postgres: "timestamptz"}[database.Dialect(db)]+")")
		exec(t, db, "INSERT INTO t VALUES (?)", noon.UTC())
		got := scan[time.Time](t, db, "SELECT at FROM t")
		if _, offset := got.Zone(); !got.Equal(noon) || offset != 0 {
			t.Errorf("%v, want %v", got, noon.UTC())
		}
	})
}

func TestConstraintErrorsTellWhatWasRefused(t *testing.T) {
	const schema = `CREATE TABLE parents (id int PRIMARY KEY, name text NOT NULL);
		CREATE UNIQUE INDEX idx_parents_name ON parents (name);
		CREATE TABLE children (a int NOT NULL CONSTRAINT positive CHECK (a > 0), b int, parent int CONSTRAINT has_parent REFERENCES parents (id));
		CREATE UNIQUE INDEX idx_children_a_b ON children (a, b);
		INSERT INTO parents VALUES (1, 'x');
		INSERT INTO children VALUES (1, 1, 1)`
	for name, test := range map[string]struct {
		sql     string
		kind    database.ConstraintKind
		columns string // SQLite's; Postgres tells the constraint's name instead
		name    string
	}{
		"taken":             {"INSERT INTO parents VALUES (2, 'x')", database.Unique, "name", "idx_parents_name"},
		"taken key":         {"INSERT INTO parents VALUES (1, 'y')", database.Unique, "id", "parents_pkey"},
		"two columns taken": {"INSERT INTO children VALUES (1, 1, 1)", database.Unique, "a b", "idx_children_a_b"},
		"no such parent":    {"INSERT INTO children VALUES (1, 2, 7)", database.ForeignKey, "", "has_parent"},
		"still a parent":    {"DELETE FROM parents", database.ForeignKey, "", "has_parent"},
		"missing":           {"INSERT INTO parents VALUES (2, NULL)", database.NotNull, "name", ""},
		"not allowed":       {"INSERT INTO children VALUES (-1, 2, 1)", database.Check, "", "positive"},
	} {
		t.Run(name, func(t *testing.T) {
			apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
				db := apptest.OpenDatabase(t, url)
				exec(t, db, schema)
				err := database.AsConstraint(db.WithContext(t.Context()).Exec(test.sql).Error)
				got, ok := errors.AsType[*database.ConstraintError](err)
				if !ok {
					t.Fatalf("%T: %v", err, err)
				}
				columns := ""
				for i, c := range got.Columns {
					if i > 0 {
						columns += " "
					}
					columns += c
				}
				known := got.Name == test.name && test.name != ""
				if database.Dialect(db) == database.SQLite {
					known = columns == test.columns && (test.kind != database.Check || got.Name == test.name)
				}
				if test.kind == database.NotNull {
					known = columns == test.columns
				}
				if got.Kind != test.kind || !known {
					t.Errorf("kind %q, name %q, columns %q: %v", got.Kind, got.Name, columns, got)
				}
			})
		})
	}
	if err := database.AsConstraint(context.Canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("another error became %v", err)
	}
}
