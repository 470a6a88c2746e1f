package users_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/functions/users"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/password"
)

const secret = "correct horse battery staple"

// client asks the users function, as ada (1), bob (2) or the admin root (3); "" is not
// logged in.
type client struct {
	t    *testing.T
	app  *apptest.App
	db   *database.DB
	url  string
	user string
}

func newClient(t *testing.T) client {
	t.Helper()
	app := apptest.New(t)
	db, err := database.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []models.User{{Name: "ada"}, {Name: "bob"}, {Name: "root", Role: models.RoleAdmin}} {
		if err := models.Users.Create(t.Context(), db, &u); err != nil {
			t.Fatal(err)
		}
	}
	return client{t, app, db, app.Serve(users.Function), "ada"}
}

func (c client) as(user string) client {
	c.user = user
	return c
}

func (c client) do(method, path, body string, headers ...string) apptest.Answer {
	c.t.Helper()
	h := http.Header{"Content-Type": {"application/json"}}
	if c.user != "" {
		h.Set("Authorization", "Bearer "+c.app.Token(c.user))
	}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return apptest.Do(c.t, method, c.url+path, body, h)
}

func (c client) want(got apptest.Answer, status int) map[string]any {
	c.t.Helper()
	if got.Status != status {
		c.t.Fatalf("%d %s, want %d", got.Status, got.Body, status)
	}
	if strings.Contains(got.Body, "assword_hash") || strings.Contains(got.Body, "argon2") {
		c.t.Errorf("a password in %s", got.Body)
	}
	var m map[string]any
	if got.Body != "" {
		if err := json.Unmarshal([]byte(got.Body), &m); err != nil {
			c.t.Fatalf("%v: %s", err, got.Body)
		}
	}
	return m
}

func (c client) hash(id int64) string {
	c.t.Helper()
	u, err := models.Users.FindOrFail(c.t.Context(), c.db, id)
	if err != nil {
		c.t.Fatal(err)
	}
	return u.PasswordHash
}

func (c client) fits(id int64, text string) bool {
	c.t.Helper()
	ok, err := password.Check(c.hash(id), text)
	if err != nil {
		c.t.Fatal(err)
	}
	return ok
}

func (c client) setPassword(id int64, text string) (hash string) {
	c.t.Helper()
	hash, err := password.Hash(text)
	if err != nil {
		c.t.Fatal(err)
	}
	u, err := models.Users.FindOrFail(c.t.Context(), c.db, id)
	if err == nil {
		err = models.Users.Update(c.t.Context(), c.db, &u, models.Fields{"password_hash": hash})
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return hash
}

func TestAnAdminAddsUsers(t *testing.T) {
	c := newClient(t)
	root := c.as("root")
	got := root.do("POST", "/users", `{"name":"Grace Hopper","password":"`+secret+`"}`)
	if u := c.want(got, 201); u["name"] != "Grace Hopper" || u["role"] != "user" || u["id"] != 4.0 || got.Header.Get("Location") != "/users/4" {
		t.Errorf("%s at %s", got.Body, got.Header.Get("Location"))
	}
	if !c.fits(4, secret) {
		t.Error("the password does not fit")
	}
	if u := c.want(root.do("POST", "/users", `{"name":"no password","role":"admin"}`), 201); u["role"] != "admin" || c.hash(5) != "" {
		t.Errorf("%v", u)
	}
	taken := root.do("POST", "/users", `{"name":"bob"}`)
	if c.want(taken, 409); !strings.Contains(taken.Body, `"pointer":"/name"`) {
		t.Errorf("%s", taken.Body)
	}
	const body = `{"name":"once"}`
	first := root.do("POST", "/users", body, "Idempotency-Key", "k")
	if again := root.do("POST", "/users", body, "Idempotency-Key", "k"); again.Status != 201 || again.Body != first.Body {
		t.Errorf("%d %s", again.Status, again.Body)
	}
}

func TestOneChangesOneself(t *testing.T) {
	c := newClient(t)
	if u := c.want(c.do("PATCH", "/users/1", `{"password":"`+secret+`"}`), 200); u["name"] != "ada" || !c.fits(1, secret) {
		t.Errorf("%v", u)
	}
	if u := c.want(c.do("PUT", "/users/1", `{"name":"ada","role":"user"}`), 200); u["name"] != "ada" || !c.fits(1, secret) {
		t.Errorf("%v: replacing took the password", u)
	}
	// Bytes are counted, as `localhost user passwd` counts them.
	if c.want(c.do("PATCH", "/users/1", `{"password":"éééééé"}`), 200); !c.fits(1, "éééééé") {
		t.Error("a password of 12 bytes does not fit")
	}
	c.want(c.do("PUT", "/users/1", `{"name":"ada","role":"user","password":"another one of hers"}`), 200)
	if !c.fits(1, "another one of hers") {
		t.Error("the new password does not fit")
	}
	c.want(c.do("PATCH", "/users/1", `{"name":"bob"}`), 409)
	tag := c.do("GET", "/users/1", "").Header.Get("ETag")
	c.want(c.do("PATCH", "/users/1", `{"name":"x"}`, "If-Match", `"x"`), 412)
	if u := c.want(c.do("PATCH", "/users/1", `{"name":"Ada L."}`, "If-Match", tag, "Content-Type", "application/merge-patch+json"), 200); u["name"] != "Ada L." {
		t.Errorf("%v", u)
	}
	c.want(c.do("GET", "/users/1", ""), 401) // nobody has the token's name any more
	c.want(c.as("Ada L.").do("DELETE", "/users/1", ""), 204)
	c.want(c.as("Ada L.").do("GET", "/users", ""), 401)
}

// A token of a login is the user's, whatever the name is by now.
func TestATokenGoesByTheID(t *testing.T) {
	c := newClient(t)
	token, _, err := auth.Begin("ada", 1, "").Token(c.app.Config)
	if err != nil {
		t.Fatal(err)
	}
	c.want(c.as("root").do("PATCH", "/users/1", `{"name":"Ada L."}`), 200)
	c.want(c.as("root").do("POST", "/users", `{"name":"ada"}`), 201)
	as := []string{"Authorization", "Bearer " + token}
	c.want(c.do("PATCH", "/users/1", `{"name":"Ada Lovelace"}`, as...), 200)
	c.want(c.do("PATCH", "/users/4", `{"name":"x"}`, as...), 403)
	c.want(c.as("root").do("DELETE", "/users/1", ""), 204)
	c.want(c.do("GET", "/users", "", as...), 401)
}

// elsewhere is a function that looks at the token alone.
var elsewhere = function.Function{Name: "elsewhere", Routes: func(app *function.App, r chi.Router) error {
	required, err := auth.Required(app)
	if err != nil {
		return err
	}
	r.With(required).Get("/", app.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return function.JSON(w, http.StatusOK, auth.User(r.Context()))
	}))
	return nil
}}

func TestWhatEndsTheSessionsOfAUser(t *testing.T) {
	for _, test := range []struct {
		name, method, body string
		by                 string // "" for the user, with the session itself
		headers            []string
		status             int
		ends               bool
	}{
		{"a new password", "PATCH", `{"password":"another one of hers"}`, "", nil, 200, true},
		{"the same password anew", "PATCH", `{"password":"` + secret + `"}`, "", nil, 200, true},
		{"replaced with a new password", "PUT", `{"name":"ada","role":"user","password":"another one of hers"}`, "", nil, 200, true},
		{"a password that an admin gives", "PATCH", `{"password":"another one of hers"}`, "root", nil, 200, true},
		{"deleted", "DELETE", "", "root", nil, 204, true},
		{"a new name", "PATCH", `{"name":"Ada L."}`, "", nil, 200, false},
		{"a new role", "PATCH", `{"role":"admin"}`, "root", nil, 200, false},
		{"replaced without a password", "PUT", `{"name":"ada","role":"user"}`, "", nil, 200, false},
		{"a new password that is refused", "PATCH", `{"password":"another one of hers"}`, "bob", nil, 403, false},
		{"a new password for what is no more", "PATCH", `{"password":"another one of hers"}`, "", []string{"If-Match", `"x"`}, 412, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newClient(t)
			before := c.setPassword(1, secret)
			other := c.app.Serve(elsewhere)
			session := func(id int64, hash string) []string {
				token, _, err := auth.Begin("ada", id, hash).Token(c.app.Config)
				if err != nil {
					t.Fatal(err)
				}
				return []string{"Authorization", "Bearer " + token}
			}
			first := session(1, before)
			by := first
			if test.by != "" {
				by = []string{"Authorization", "Bearer " + c.app.Token(test.by)}
			}
			c.want(c.do(test.method, "/users/1", test.body, append(by, test.headers...)...), test.status)

			want := 200
			if test.ends {
				want = 401
			}
			// A login that has read the password just before begins with it just after.
			for name, as := range map[string][]string{"the session": first, "one that begins with the password of before": session(1, before)} {
				c.want(c.do("GET", "/users/2", "", as...), want)
				if got := apptest.Do(t, "GET", other, "", http.Header{as[0]: {as[1]}}); got.Status != want {
					t.Errorf("%s, at a function that does not look at the user: %d, want %d", name, got.Status, want)
				}
			}
			if got := apptest.Do(t, "GET", other, "", http.Header{"Authorization": {session(2, "")[1]}}); got.Status != 200 {
				t.Errorf("another user: %d", got.Status)
			}
			if test.ends && test.method != "DELETE" {
				now := session(1, c.hash(1))
				c.want(c.do("GET", "/users/2", "", now...), 200)
				if got := apptest.Do(t, "GET", other, "", http.Header{"Authorization": {now[1]}}); got.Status != 200 {
					t.Errorf("with the new password: %d", got.Status)
				}
			}
		})
	}
}

// Without Redis nobody can be told, so the password stays.
func TestAPasswordChangesWithTheSessionsOrNotAtAll(t *testing.T) {
	c := newClient(t)
	before := c.setPassword(1, secret)
	c.app.Redis.SetError("gone")
	got := c.do("PATCH", "/users/1", `{"password":"another one of hers"}`)
	if c.want(got, 503); got.Header.Get("Retry-After") == "" || c.hash(1) != before {
		t.Errorf("%s; the password changed: %v", got.Body, c.hash(1) != before)
	}
}

func TestRefusals(t *testing.T) {
	c := newClient(t)
	for _, test := range []struct {
		name, user, method, path, body string
		status                         int
		says                           string
	}{
		{"not logged in", "", "GET", "/users", "", 401, ""},
		{"not logged in, one", "", "GET", "/users/1", "", 401, ""},
		{"nobody", "eve", "GET", "/users/1", "", 401, "no more"},
		{"adding without being an admin", "ada", "POST", "/users", `{"name":"x"}`, 403, "admin"},
		{"another", "ada", "PATCH", "/users/2", `{"name":"x"}`, 403, "owner"},
		{"another, replace", "ada", "PUT", "/users/2", `{"name":"x","role":"user"}`, 403, "owner"},
		{"another, delete", "ada", "DELETE", "/users/2", "", 403, "owner"},
		{"a role for oneself", "ada", "PATCH", "/users/1", `{"role":"admin"}`, 403, "role"},
		{"a role for oneself, replace", "ada", "PUT", "/users/1", `{"name":"ada","role":"admin"}`, 403, "role"},
		{"not there", "root", "GET", "/users/99", "", 404, ""},
		{"not there, delete", "root", "DELETE", "/users/99", "", 404, ""},
		{"no name", "root", "POST", "/users", `{}`, 422, `"/name"`},
		{"an empty name", "root", "POST", "/users", `{"name":""}`, 422, `"/name"`},
		{"a name with space around", "root", "POST", "/users", `{"name":" ada"}`, 422, `"/name"`},
		{"a name with a line's end", "root", "POST", "/users", `{"name":"a\nb"}`, 422, `"/name"`},
		{"a name with a NUL", "root", "POST", "/users", `{"name":"a\u0000b"}`, 422, `"/name"`},
		{"a long name", "root", "POST", "/users", `{"name":"` + strings.Repeat("x", 101) + `"}`, 422, `"/name"`},
		{"a short password", "root", "POST", "/users", `{"name":"x","password":"short"}`, 422, `"/password"`},
		{"a password of too few bytes", "root", "POST", "/users", `{"name":"x","password":"ééééé"}`, 422, `"/password"`},
		{"no password, but an empty text", "root", "POST", "/users", `{"name":"x","password":""}`, 422, `"/password"`},
		{"a huge password", "root", "POST", "/users", `{"name":"x","password":"` + strings.Repeat("é", 600) + `"}`, 422, `"/password"`},
		{"an unknown role", "root", "POST", "/users", `{"name":"x","role":"king"}`, 422, `"/role"`},
		{"a hash", "root", "POST", "/users", `{"name":"x","password_hash":"x"}`, 422, `"/password_hash"`},
		{"no role to replace with", "ada", "PUT", "/users/1", `{"name":"ada"}`, 422, `"/role"`},
		{"null for a name", "ada", "PATCH", "/users/1", `{"name":null}`, 422, `"/name"`},
		{"a filter by the password", "root", "GET", "/users?password_hash__startswith=$", "", 400, "cannot be filtered by"},
		{"a sort by the password", "root", "GET", "/users?sort=password_hash", "", 400, "cannot be sorted by"},
		{"an include", "root", "GET", "/users?include=posts", "", 400, "cannot be included"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := c.as(test.user).do(test.method, test.path, test.body)
			if got.Status != test.status || !strings.Contains(got.Body, test.says) || got.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %s, want %d and %s", got.Status, got.Body, test.status, test.says)
			}
		})
	}
	if reports := c.app.Reports(); len(reports) > 0 {
		t.Errorf("the client's mistakes were reported: %+v", reports)
	}
}

func TestList(t *testing.T) {
	c := newClient(t)
	if err := models.Posts.Create(t.Context(), c.db, &models.Post{AuthorID: 2, Title: "Go"}); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"":                         "[ada bob root]",
		"?name__startswith=a":      "[ada]",
		"?sort=-name&limit=2":      "[root bob]",
		"?role=admin":              "[root]",
		"?posts___title=Go":        "[bob]",
		"?posts__isnull=true":      "[ada root]",
		"?role__ne=admin&id__gt=1": "[bob]",
	} {
		var names []any
		for _, item := range c.want(c.do("GET", "/users"+query, ""), 200)["items"].([]any) {
			names = append(names, item.(map[string]any)["name"])
		}
		if fmt.Sprint(names) != want {
			t.Errorf("%s: %v, want %s", query, names, want)
		}
	}
}
