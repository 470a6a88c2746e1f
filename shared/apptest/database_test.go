package apptest_test

import (
	"testing"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/models/migrations"
)

func TestDatabasesAreMigratedEmptyAndTheirOwn(t *testing.T) {
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		if behind, err := migrations.Behind(t.Context(), db); behind != 0 || err != nil {
			t.Errorf("behind by %d, %v", behind, err)
		}
		if n, err := models.Users.Count(t.Context(), db); n != 0 || err != nil {
			t.Errorf("%d users, %v", n, err)
		}
	})
	if a, b := apptest.DatabaseURL(t), apptest.DatabaseURL(t); a == b {
		t.Errorf("twice the same database: %s", a.Reveal())
	}
}
