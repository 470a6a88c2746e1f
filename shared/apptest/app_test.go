package apptest_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// everything is a function that uses all that a test app gives.
var everything = function.Function{Name: "everything", Routes: func(app *function.App, r chi.Router) error {
	login, err := auth.Required(app)
	if err != nil {
		return err
	}
	r.With(login).Get("/user", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, auth.User(r.Context())) })
	r.Get("/count", app.Handle(func(w http.ResponseWriter, r *http.Request) error {
		db, err := database.Of(app)
		if err != nil {
			return err
		}
		var n int64
		if err := db.WithContext(r.Context()).Table("users").Count(&n).Error; err != nil {
			return err
		}
		_, err = fmt.Fprint(w, n)
		return err
	}))
	r.Get("/cached", app.Handle(func(w http.ResponseWriter, r *http.Request) error {
		rdb, err := redisdb.Of(app)
		if err != nil {
			return err
		}
		fresh, err := rdb.SetNX(r.Context(), "key", 1, time.Minute).Result()
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(w, fresh)
		return err
	}))
	r.Get("/broken", app.Handle(func(http.ResponseWriter, *http.Request) error { return errors.New("out of luck") }))
	return nil
}}

func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestApp(t *testing.T) {
	app := apptest.New(t)
	url := app.Serve(everything)
	want := func(path, token string, status int, body string) {
		t.Helper()
		if code, text := get(t, url+path, token); code != status || (body != "" && text != body) {
			t.Errorf("%s: %d %s; want %d %s", path, code, text, status, body)
		}
	}
	want("/user", "", 401, "")
	want("/user", app.Token("ada"), 200, "ada")
	want("/count", "", 200, "0")
	want("/cached", "", 200, "true")
	want("/cached", "", 200, "false")
	app.Redis.FastForward(time.Minute)
	want("/cached", "", 200, "true")
	app.Redis.Close()
	want("/cached", "", 500, "")

	before := len(app.Reports())
	want("/broken", "", 500, "")
	all := app.Reports()
	if len(all) != before+1 {
		t.Fatalf("%d reports more; want 1", len(all)-before)
	}
	if r := all[before]; r.Error.Message != "out of luck" || r.Request.Context["function"] != "everything" || r.Server.Environment != "test" {
		t.Errorf("reported %s", r.Raw)
	}
	lines := app.Logs()
	if last := lines[len(lines)-1]; last["msg"] != "request" || last["path"] != "/broken" {
		t.Errorf("the last line is %v", last)
	}
}

func TestAppsShareNothing(t *testing.T) {
	one, two := apptest.New(t), apptest.New(t)
	if one.Config.DatabaseURL == two.Config.DatabaseURL || one.Config.RedisURL == two.Config.RedisURL {
		t.Error("two apps share a database or a Redis")
	}
	one.Report.Notify(t.Context(), errors.New("mine"))
	if len(one.Reports()) != 1 || len(two.Reports()) != 0 {
		t.Errorf("%d and %d reports; want 1 and 0", len(one.Reports()), len(two.Reports()))
	}
}

func TestSettingsMayBeChanged(t *testing.T) {
	app := apptest.New(t, func(c *config.Config) { c.RedisURL = "" }, func(c *config.Config) { c.Environment = "elsewhere" })
	if _, err := redisdb.Of(app.App); !errors.Is(err, redisdb.ErrNotConfigured) {
		t.Errorf("%v; want no Redis", err)
	}
	if app.Config.Environment != "elsewhere" {
		t.Errorf("environment %s", app.Config.Environment)
	}
}

func TestTheAppIsClosedWithTheTest(t *testing.T) {
	closed := false
	resource := function.Resource[int]{
		Name: "thing", Open: func(*function.App) (int, error) { return 1, nil },
		Close: func(int) error { closed = true; return nil },
	}
	t.Run("a test", func(t *testing.T) {
		app := apptest.New(t)
		if _, err := resource.Of(app.App); err != nil {
			t.Fatal(err)
		}
	})
	if !closed {
		t.Error("the app was not closed")
	}
}
