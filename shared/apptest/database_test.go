package apptest_test

import (
	"io"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/models/migrations"
	"github.com/tandem-api/tandem/shared/models/seed"
)

func TestDatabaseURLIsMigratedAndEmpty(t *testing.T) {
	app := function.New(config.Config{DatabaseURL: apptest.DatabaseURL(t)}, io.Discard)
	defer func() { _ = app.Close(t.Context()) }()
	db, err := database.Of(app)
	if err != nil {
		t.Fatal(err)
	}
	if behind, err := migrations.Behind(t.Context(), db); behind != 0 || err != nil {
		t.Errorf("behind by %d, %v", behind, err)
	}
	if n, err := models.Users.Count(t.Context(), db); n != 0 || err != nil {
		t.Errorf("%d users, %v", n, err)
	}
	var out strings.Builder
	for range 2 {
		if err := seed.Run(t.Context(), db, &out); err != nil {
			t.Fatal(err)
		}
	}
	t.Log(out.String())
	if n, _ := models.Users.Count(t.Context(), db); n != 1 {
		t.Errorf("%d users after two seeds", n)
	}
}
