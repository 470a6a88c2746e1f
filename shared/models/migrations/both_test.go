package migrations_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/models/migrations"
)

func tables(t *testing.T, db *gorm.DB) (names []string) {
	t.Helper()
	all, err := db.Migrator().GetTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		if n != "migrations" && !strings.HasPrefix(n, "sqlite_") {
			names = append(names, n)
		}
	}
	return names
}

func TestDownAllTheWayAndUpAgain(t *testing.T) {
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		before, err := migrations.Status(t.Context(), db)
		if err != nil || len(before) == 0 {
			t.Fatalf("%v, %v", before, err)
		}
		for i, last := range slices.Backward(before) {
			m, err := migrations.Down(t.Context(), db)
			if err != nil || m == nil || m.Version != last.Version || m.Applied {
				t.Fatalf("took back %+v, want %s: %v", m, last.Name, err)
			}
			if n, err := migrations.Behind(t.Context(), db); n != len(before)-i || err != nil {
				t.Errorf("behind by %d, want %d: %v", n, len(before)-i, err)
			}
		}
		if m, err := migrations.Down(t.Context(), db); m != nil || err != nil {
			t.Errorf("took back %+v of nothing, %v", m, err)
		}
		if left := tables(t, db); len(left) > 0 {
			t.Errorf("%v stayed", left)
		}
		applied, err := migrations.Up(t.Context(), db)
		if err != nil || len(applied) != len(before) {
			t.Errorf("applied %v, %v", applied, err)
		}
		if applied, err = migrations.Up(t.Context(), db); err != nil || len(applied) != 0 {
			t.Errorf("applied %v again, %v", applied, err)
		}
		after, err := migrations.Status(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range after {
			if !m.Applied || m.AppliedAt.IsZero() || m.Name != before[i].Name {
				t.Errorf("%+v", m)
			}
		}
	})
}

// The server and the workers start at the same time, each with a pool of its own.
func TestUpInSeveralProcessesAtOnce(t *testing.T) {
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		total := 0
		for {
			m, err := migrations.Down(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			if m == nil {
				break
			}
			total++
		}
		if err := db.Exec("DROP TABLE migrations").Error; err != nil { // as in a new database
			t.Fatal(err)
		}
		var all sync.WaitGroup
		var mu sync.Mutex
		applied := 0
		for range 6 {
			own := apptest.OpenDatabase(t, url)
			all.Go(func() {
				done, err := migrations.Up(t.Context(), own)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				applied += len(done)
			})
		}
		all.Wait()
		if applied != total {
			t.Errorf("%d migrations were applied %d times", total, applied)
		}
	})
}

func TestNewMigrationsAreNumberedAndEmpty(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{"sqlite/00009_old.sql", "postgres/00011_older.sql", "sqlite/notes.txt"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	created, err := migrations.New(dir, "add_tags")
	want := []string{filepath.Join(dir, database.SQLite, "00012_add_tags.sql"), filepath.Join(dir, database.Postgres, "00012_add_tags.sql")}
	if err != nil || len(created) != 2 || created[0] != want[0] || created[1] != want[1] {
		t.Fatalf("created %v, %v", created, err)
	}
	for _, file := range created {
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "+goose Up") || !strings.Contains(string(text), "+goose Down") {
			t.Errorf("%s: %q, %v", file, text, err)
		}
	}
	for _, name := range []string{"", "Add", "a-b", "../a", "1a", "a b"} {
		if created, err := migrations.New(dir, name); err == nil {
			t.Errorf("%q was created: %v", name, created)
		}
	}
	if _, err := migrations.New(filepath.Join(dir, "nowhere"), "a"); err == nil {
		t.Error("a folder that is not there is no error")
	}
}
