package account_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/account"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models"
)

// whoami tells who is logged in, and whether that one may change what user 1 owns.
var whoami = function.Function{Name: "whoami", Routes: func(app *function.App, r chi.Router) error {
	login, err := account.Required(app)
	if err != nil {
		return err
	}
	r.With(login).Get("/", app.Handle(func(w http.ResponseWriter, r *http.Request) error {
		u := account.Current(r.Context())
		return function.JSON(w, http.StatusOK, []any{u.ID, u.Name, account.Admin(r.Context()), account.MayChange(r.Context(), 1) == nil})
	}))
	return nil
}}

func TestTheUserIsTheOneOfTheDatabase(t *testing.T) {
	app := apptest.New(t)
	db, err := database.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []models.User{{Name: "ada"}, {Name: "bob"}, {Name: "root", Role: models.RoleAdmin}} {
		u.PasswordHash = "the hash"
		if err := models.Users.Create(t.Context(), db, &u); err != nil {
			t.Fatal(err)
		}
	}
	url := app.Serve(whoami)
	ask := func(token string) string {
		got := apptest.Do(t, "GET", url, "", http.Header{"Authorization": {"Bearer " + token}})
		if got.Status == http.StatusUnauthorized && strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Bearer") {
			return "401"
		}
		return got.Body
	}
	login := func(name string, id int64) string {
		token, _, err := auth.Begin(name, id, "the hash").Token(app.Config)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	for _, c := range []struct{ name, token, want string }{
		{"by name", app.Token("ada"), `[1,"ada",false,true]`},
		{"by id", login("ada", 1), `[1,"ada",false,true]`},
		{"by id, of a name before", login("ada", 2), `[2,"bob",false,false]`},
		{"an admin", app.Token("root"), `[3,"root",true,true]`},
		{"nobody's name", app.Token("eve"), "401"},
		{"nobody's id", login("ada", 9), "401"},
		{"no token", "", "401"},
	} {
		if got := ask(c.token); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	// The token of before, and what the user may do now.
	token := login("bob", 2)
	bob, err := models.Users.FindOrFail(t.Context(), db, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := models.Users.Update(t.Context(), db, &bob, models.Fields{"role": models.RoleAdmin}); err != nil {
		t.Fatal(err)
	}
	if got := ask(token); got != `[2,"bob",true,true]` {
		t.Errorf("with a new role: %s", got)
	}
	for hash, want := range map[string]string{"another hash": "401", "the hash": `[2,"bob",true,true]`} {
		if err := models.Users.Update(t.Context(), db, &bob, models.Fields{"password_hash": hash}); err != nil {
			t.Fatal(err)
		}
		if got := ask(token); got != want {
			t.Errorf("with %s: %s, want %s", hash, got, want)
		}
	}
	if err := models.Users.Delete(t.Context(), db, &bob); err != nil {
		t.Fatal(err)
	}
	if got := ask(token); got != "401" {
		t.Errorf("deleted: %s", got)
	}
}

func TestRefusesToStartWithoutASecret(t *testing.T) {
	app := apptest.New(t, func(c *config.Config) { c.AuthSecrets = nil })
	if _, err := whoami.Handler(app.App); err == nil || !strings.Contains(err.Error(), auth.ErrNoSecret.Error()) {
		t.Errorf("%v", err)
	}
}
