package migrations

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pressly/goose/v3"
	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
)

// The package's own tests cannot use package apptest, which imports it, for Postgres:
// the external ones next door do both.

func openSQLite(t *testing.T, file string) *gorm.DB {
	t.Helper()
	app := function.New(config.Config{DatabaseURL: config.Secret("sqlite:" + file)}, io.Discard)
	t.Cleanup(func() { _ = app.Close(context.Background()) })
	db, err := database.Of(app)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func tables(t *testing.T, db *gorm.DB) []string {
	t.Helper()
	names, err := db.Migrator().GetTables()
	if err != nil {
		t.Fatal(err)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, "sqlite_") || n == "migrations" })
	slices.Sort(names)
	return names
}

func TestEveryMigrationIsThereForBothDatabases(t *testing.T) {
	names := func(dialect string) (all []string) {
		entries, err := fs.ReadDir(files, dialect)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !fileName.MatchString(e.Name()) {
				t.Errorf("%s/%s is not named like a migration", dialect, e.Name())
			}
			all = append(all, e.Name())
		}
		return all
	}
	if a, b := names(database.SQLite), names(database.Postgres); !slices.Equal(a, b) {
		t.Errorf("SQLite has %v, Postgres %v", a, b)
	}
}

func script(up, down string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte("-- +goose Up\n" + up + ";\n-- +goose Down\n" + down + ";\n")}
}

func TestAFailedMigrationLeavesTheDatabaseAsItWas(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "x.db"))
	broken := fstest.MapFS{
		"sqlite/00001_good.sql":   script("CREATE TABLE good (a int)", "DROP TABLE good"),
		"sqlite/00002_broken.sql": script("CREATE TABLE half (a int); INSERT INTO good VALUES (1); INSERT INTO nowhere VALUES (1)", "DROP TABLE good; DROP TABLE nowhere"),
		"sqlite/00003_never.sql":  script("CREATE TABLE never (a int)", "DROP TABLE never"),
	}
	err := with(t.Context(), db, broken, func(p *goose.Provider) error { _, err := p.Up(t.Context()); return err })
	if err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Fatalf("%v", err)
	}
	if got := tables(t, db); !slices.Equal(got, []string{"good"}) {
		t.Errorf("the tables are %v", got)
	}
	var n int64
	if err := db.Raw("SELECT count(*) FROM good").Scan(&n).Error; err != nil || n != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
	// The same for the way back.
	good := fstest.MapFS{"sqlite/00001_good.sql": script("CREATE TABLE good (a int)", "DROP TABLE good; DROP TABLE nowhere")}
	err = with(t.Context(), db, good, func(p *goose.Provider) error { _, err := p.Down(t.Context()); return err })
	if err == nil {
		t.Error("a broken way back succeeded")
	}
	if got := tables(t, db); !slices.Equal(got, []string{"good"}) {
		t.Errorf("after a broken way back the tables are %v", got)
	}
}

func TestADatabaseThatANewerProgramMigrated(t *testing.T) {
	db := openSQLite(t, filepath.Join(t.TempDir(), "x.db"))
	applied, err := Up(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	newest := applied[len(applied)-1].Version
	if err := db.Exec("INSERT INTO migrations (version_id, is_applied) VALUES (?, true)", newest+1).Error; err != nil {
		t.Fatal(err)
	}
	all, statusErr := Status(t.Context(), db)
	undone, downErr := Down(t.Context(), db)
	says := fmt.Sprintf("the database is at %d, this program knows %d", newest+1, newest)
	for verb, err := range map[string]error{"status": statusErr, "down": downErr} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %s", verb, err, says)
		}
	}
	if len(all) != len(applied) || undone != nil {
		t.Errorf("%d of %d migrations are told, and %v is undone", len(all), len(applied), undone)
	}
	if n, err := Behind(t.Context(), db); n != 0 || err != nil {
		t.Errorf("behind by %d, %v", n, err)
	}
}

// Many processes start at once. A migration of data would show it if two ran it.
func TestOneAtATimeMigrates(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.db")
	once := fstest.MapFS{
		"sqlite/00001_data.sql": script("CREATE TABLE data (a int); INSERT INTO data VALUES (0)", "DROP TABLE data"),
		"sqlite/00002_data.sql": script("UPDATE data SET a = a + 1", "UPDATE data SET a = a - 1"),
	}
	var all sync.WaitGroup
	for range 8 {
		db := openSQLite(t, file)
		all.Go(func() {
			if err := with(t.Context(), db, once, func(p *goose.Provider) error { _, err := p.Up(t.Context()); return err }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var a int
	if err := openSQLite(t, file).Raw("SELECT a FROM data").Scan(&a).Error; err != nil || a != 1 {
		t.Errorf("it ran %d times, %v", a, err)
	}
}

// told calls a function with what is logged.
type told func(line string)

func (f told) Write(p []byte) (int, error) {
	f(string(p))
	return len(p), nil
}

func TestWhoWaitsForTheLockSaysSo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.db")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var lines []string
	app := function.New(config.Config{DatabaseURL: config.Secret("sqlite:" + file)}, told(func(line string) {
		lines = append(lines, line)
		cancel() // it has been said: no more waiting
	}))
	t.Cleanup(func() { _ = app.Close(context.Background()) })
	other, err := database.Of(app)
	if err != nil {
		t.Fatal(err)
	}
	err = locked(t.Context(), openSQLite(t, file), func() error {
		return lockedAfter(ctx, other, time.Millisecond, func() error { return nil })
	})
	if !errors.Is(err, context.Canceled) || len(lines) != 1 || !strings.Contains(lines[0], "another process migrates") {
		t.Errorf("%v, and it says %q", err, lines)
	}
}

func TestWaitingForTheLockEndsWithTheContext(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.db")
	one, other := openSQLite(t, file), openSQLite(t, file)
	err := locked(t.Context(), one, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := Up(ctx, other)
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if _, err := Up(t.Context(), other); err != nil {
		t.Errorf("the lock stayed: %v", err)
	}
}
