package apptest

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models/migrations"
)

// DatabaseURL returns the DATABASE_URL of an SQLite database of the test's own,
// migrated and empty, which is gone after the test.
func DatabaseURL(t testing.TB) config.Secret {
	t.Helper()
	empty, err := sqliteTemplate()
	if err != nil {
		t.Fatalf("make the template of the test databases: %v", err)
	}
	file := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(file, empty, 0o600); err != nil {
		t.Fatalf("make the test database: %v", err)
	}
	return config.Secret("sqlite:" + file)
}

// OpenDatabase opens a database for the length of the test.
func OpenDatabase(t testing.TB, url config.Secret) *gorm.DB {
	t.Helper()
	app := function.New(config.Config{DatabaseURL: url}, io.Discard)
	t.Cleanup(func() {
		if err := app.Close(context.Background()); err != nil {
			t.Errorf("close the test database: %v", err)
		}
	})
	db, err := database.Of(app)
	if err != nil {
		t.Fatalf("open the test database: %v", err)
	}
	return db
}

// sqliteTemplate is the content of a migrated database: copying a file is a lot
// faster than migrating one a test.
var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "tandem")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	file := filepath.Join(folder, "template.db")
	if err := migrated(context.Background(), config.Secret("sqlite:"+file)); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// migrated brings a database up and closes it, so that all of it is in its file.
func migrated(ctx context.Context, url config.Secret) (err error) {
	app := function.New(config.Config{DatabaseURL: url}, io.Discard)
	defer func() { err = errors.Join(err, app.Close(ctx)) }()
	db, err := database.Of(app)
	if err != nil {
		return err
	}
	_, err = migrations.Up(ctx, db)
	return err
}
