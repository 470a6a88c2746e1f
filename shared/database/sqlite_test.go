package database_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
)

func scan[T any](t *testing.T, db *gorm.DB, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := db.WithContext(t.Context()).Raw(sql, args...).Scan(&v).Error; err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func exec(t *testing.T, db *gorm.DB, sql string, args ...any) {
	t.Helper()
	if err := db.WithContext(t.Context()).Exec(sql, args...).Error; err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestSQLiteOpensAnyPath(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	for _, path := range []string{
		":memory:", "plain.db", "a/new/folder/x.db", filepath.Join(folder, "absolute.db"), "with space.db", "50%.db",
		"what?.db", "a#b.db", "a&b=c.db", "a:b.db", "é.db",
	} {
		t.Run(path, func(t *testing.T) {
			db := apptest.OpenDatabase(t, config.Secret("sqlite:"+path))
			exec(t, db, "CREATE TABLE t (a int)")
			exec(t, db, "INSERT INTO t VALUES (1)")
			if n := scan[int](t, db, "SELECT count(*) FROM t"); n != 1 {
				t.Errorf("%d rows", n)
			}
			if path != ":memory:" {
				if _, err := os.Stat(path); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestSQLiteSettings(t *testing.T) {
	db := apptest.OpenDatabase(t, apptest.DatabaseURL(t))
	for _, connection := range []struct {
		name string
		sql  string // a PRAGMA goes to the writer, a SELECT to a reader
	}{{"writer", "PRAGMA %s"}, {"reader", "SELECT * FROM pragma_%s"}} {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "10000", "synchronous": "1",
		} {
			if got := scan[string](t, db, fmt.Sprintf(connection.sql, pragma)); got != want {
				t.Errorf("%s: %s is %s, want %s", connection.name, pragma, got, want)
			}
		}
	}
	var major, minor int
	if _, err := fmt.Sscanf(scan[string](t, db, "SELECT sqlite_version()"), "%d.%d", &major, &minor); err != nil || major != 3 || minor < 53 {
		t.Errorf("SQLite %d.%d: the dialect's own old one, not the required one (%v)", major, minor, err)
	}
}

func TestSQLiteReadsWhileATransactionWrites(t *testing.T) {
	db := apptest.OpenDatabase(t, apptest.DatabaseURL(t))
	exec(t, db, "CREATE TABLE t (a int)")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := database.Transaction(ctx, db, func(tx *gorm.DB) error {
		exec(t, tx, "INSERT INTO t VALUES (1)")
		if n := scan[int](t, tx, "SELECT count(*) FROM t"); n != 1 {
			t.Errorf("the transaction sees %d rows of its own", n)
		}
		if n := scan[int](t, db, "SELECT count(*) FROM t"); n != 0 {
			t.Errorf("others see %d rows before the commit", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := scan[int](t, db, "SELECT count(*) FROM t"); n != 1 {
		t.Errorf("%d rows after the commit", n)
	}
}

func TestSQLiteRefusesWhatIsNoDatabase(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ path, want string }{
		"a file of text":      {text, "not a database"},
		"a folder":            {folder, "SQLite file " + folder},
		"a file for a folder": {filepath.Join(text, "x.db"), "the folder of the SQLite file"},
	} {
		t.Run(name, func(t *testing.T) {
			app := function.New(config.Config{DatabaseURL: config.Secret("sqlite:" + test.path)}, t.Output())
			_, err := database.Of(app)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "DATABASE_URL") {
				t.Errorf("%v", err)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

// Several processes begin together, as under supervisor: one turns the new file to the
// write-ahead log, and SQLite refuses the others without waiting.
func TestSQLiteOpensAFileThatAnotherIsTurning(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.db")
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "CREATE TABLE t (a int)"); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(300*time.Millisecond, func() { _ = tx.Commit() })
	db := apptest.OpenDatabase(t, config.Secret("sqlite:"+path))
	if mode := scan[string](t, db, "PRAGMA journal_mode"); mode != "wal" {
		t.Errorf("journal_mode %s, want wal", mode)
	}
}
