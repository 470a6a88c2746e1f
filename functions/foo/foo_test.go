package foo_test

import (
	"net/http"
	"testing"

	"github.com/tandem-api/tandem/functions/foo"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/models"
)

func TestVersions(t *testing.T) {
	url := apptest.New(t).Serve(foo.Function)
	const (
		v1       = `{"hello":"world","count":0,"version":1}`
		v2       = `{"hello":"world","count":0,"version":2}`
		notFound = ""
	)
	for _, c := range []struct {
		name, path string
		want       string // the answer, or notFound
	}{
		{"the first", "/v1/foo", v1},
		{"the first, with a zero", "/v01/foo", v1},
		{"the latest", "/v2/foo", v2},
		{"one to come", "/v3/foo", v2},
		{"zero", "/v0/foo", v2},
		{"a number that no integer holds", "/v99999999999999999999999/foo", v2},
		{"none", "/v/foo", notFound},
		{"below zero", "/v-1/foo", notFound},
		{"with a sign", "/v+1/foo", notFound},
		{"a fraction", "/v1.0/foo", notFound},
		{"letters", "/vx/foo", notFound},
		{"digits of another script", "/v١/foo", notFound},
		{"a space", "/v%201/foo", notFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := apptest.Get(t, url+c.path)
			switch {
			case c.want == notFound && got.Status != http.StatusNotFound:
				t.Errorf("%d %s, want 404", got.Status, got.Body)
			case c.want != notFound && (got.Status != http.StatusOK || got.Body != c.want):
				t.Errorf("%d %s, want 200 %s", got.Status, got.Body, c.want)
			}
			deprecated, successor := got.Header.Get("Deprecation"), got.Header.Get("Link")
			if c.want == v1 && (deprecated != "@1793491200" || successor != `</v2/foo>; rel="successor-version"`) {
				t.Errorf("Deprecation %q, Link %q", deprecated, successor)
			}
			if c.want != v1 && deprecated+successor != "" {
				t.Errorf("Deprecation %q, Link %q, want neither", deprecated, successor)
			}
		})
	}
}

func TestCountsTheUsers(t *testing.T) {
	app := apptest.New(t)
	db, err := database.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ada", "grace"} {
		if err := db.Create(&models.User{Name: name}).Error; err != nil {
			t.Fatal(err)
		}
	}
	if got := apptest.Get(t, app.Serve(foo.Function)+"/v2/foo"); got.Body != `{"hello":"world","count":2,"version":2}` {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestSendsANotice(t *testing.T) {
	app := apptest.New(t)
	apptest.Get(t, app.Serve(foo.Function)+"/v2/foo")
	reports := app.Reports()
	if len(reports) != 1 || reports[0].Error.Class != "FooNotice" || reports[0].Request.Context["function"] != "foo" {
		t.Errorf("reports: %+v", reports)
	}
}

func TestTheDatabaseIsDown(t *testing.T) {
	app := apptest.New(t, func(c *config.Config) { c.DatabaseURL = "postgres://me:hunter2@127.0.0.1:1/db" })
	got := apptest.Get(t, app.Serve(foo.Function)+"/v2/foo")
	if got.Status != http.StatusInternalServerError || got.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if len(app.Reports()) != 1 {
		t.Errorf("reports: %+v", app.Reports())
	}
}
