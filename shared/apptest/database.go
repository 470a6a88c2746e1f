package apptest

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models/migrations"
)

// DatabaseURL returns the DATABASE_URL of a database of the test's own, migrated and
// empty, which is gone after the test.
func DatabaseURL(t testing.TB) config.Secret {
	t.Helper()
	url := config.Secret("sqlite:" + filepath.Join(t.TempDir(), "test.db"))
	app := function.New(config.Config{DatabaseURL: url}, io.Discard)
	defer func() { _ = app.Close(t.Context()) }()
	db, err := database.Of(app)
	if err != nil {
		t.Fatalf("open the test database: %v", err)
	}
	if _, err := migrations.Up(t.Context(), db); err != nil {
		t.Fatalf("migrate the test database: %v", err)
	}
	return url
}
