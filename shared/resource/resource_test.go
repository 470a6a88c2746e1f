package resource_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/resource"
)

var allow = models.Allow{Filter: []string{"name", "id"}, Sort: []string{"id", "name"}, Include: []string{"posts"}}

// people is a controller of a table: GET / and /{id}, and PATCH /{id}?name= for a new
// name, but for root, whom nobody may change.
func people(db *database.DB) function.Function {
	return function.Function{Name: "people", Routes: func(app *function.App, r chi.Router) error {
		r.Get("/", app.Handle(func(w http.ResponseWriter, r *http.Request) error {
			return resource.List(w, r, db, models.Users.Query, allow)
		}))
		r.Get("/{id}", app.Handle(func(w http.ResponseWriter, r *http.Request) error {
			return resource.Get(w, r, db, models.Users.Query, allow.Include)
		}))
		r.Patch("/{id}", app.Handle(func(w http.ResponseWriter, r *http.Request) error {
			may := func(u models.User) error {
				if u.Name == "root" {
					return httperror.New(http.StatusForbidden, "not that one")
				}
				return nil
			}
			u, err := resource.Change(r, db, models.Users.Query, may, func(tx *database.DB, u *models.User) error {
				return models.Users.Update(r.Context(), tx, u, models.Fields{"name": r.URL.Query().Get("name")})
			})
			if err != nil {
				return err
			}
			return resource.ShowRow(w, r, http.StatusOK, models.Users.Query, u)
		}))
		return nil
	}}
}

// serve returns the URL of people with ada (1), bob (2) and root (3), and a post of ada's.
func serve(t *testing.T) string {
	t.Helper()
	app := apptest.New(t)
	db, err := database.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ada", "bob", "root"} {
		if err := models.Users.Create(t.Context(), db, &models.User{Name: name, PasswordHash: "hidden"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := models.Posts.Create(t.Context(), db, &models.Post{AuthorID: 1, Title: "Go"}); err != nil {
		t.Fatal(err)
	}
	return app.Serve(people(db))
}

func TestIfNoneMatch(t *testing.T) {
	url := serve(t)
	tag := apptest.Get(t, url+"/1").Header.Get("ETag")
	other := apptest.Get(t, url+"/2").Header.Get("ETag")
	if tag == other || !strings.HasPrefix(tag, `"`) {
		t.Fatalf("tags %s and %s", tag, other)
	}
	for _, c := range []struct {
		name  string
		given []string
		want  int
	}{
		{"no condition", nil, 200},
		{"the tag", []string{tag}, 304},
		{"the tag, weak", []string{"W/" + tag}, 304},
		{"one of a list", []string{`"x", ` + tag}, 304},
		{"a list without spaces", []string{`"x",W/` + tag + `,"y"`}, 304},
		{"one of two headers", []string{`"x"`, tag}, 304},
		{"any", []string{"*"}, 304},
		{"another's tag", []string{other}, 200},
		{"none of a list", []string{`"x", ` + other}, 200},
		{"the tag without quotes", []string{strings.Trim(tag, `"`)}, 200},
		{"a part of the tag", []string{tag[:4] + `"`}, 200},
		{"empty", []string{""}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := apptest.Do(t, "GET", url+"/1", "", http.Header{"If-None-Match": c.given})
			if got.Status != c.want || got.Header.Get("ETag") != tag {
				t.Errorf("%d with %s; want %d with %s", got.Status, got.Header.Get("ETag"), c.want, tag)
			}
			if c.want == http.StatusNotModified && (got.Body != "" || got.Header.Get("Content-Type") != "") {
				t.Errorf("a 304 with %q of %q", got.Body, got.Header.Get("Content-Type"))
			}
		})
	}
}

func TestIfMatch(t *testing.T) {
	for _, c := range []struct {
		name  string
		given func(tag string) []string
		want  int
	}{
		{"no condition", func(string) []string { return nil }, 200},
		{"the tag", func(tag string) []string { return []string{tag} }, 200},
		{"one of a list", func(tag string) []string { return []string{`"x", ` + tag} }, 200},
		{"one of two headers", func(tag string) []string { return []string{`"x"`, tag} }, 200},
		{"any", func(string) []string { return []string{"*"} }, 200},
		{"the tag, weak", func(tag string) []string { return []string{"W/" + tag} }, 412}, // RFC 9110, section 13.1.1
		{"another tag", func(string) []string { return []string{`"x"`} }, 412},
		{"empty", func(string) []string { return []string{""} }, 412},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := serve(t)
			tag := apptest.Get(t, url+"/1").Header.Get("ETag")
			got := apptest.Do(t, "PATCH", url+"/1?name=eve", "", http.Header{"If-Match": c.given(tag)})
			now := apptest.Get(t, url+"/1")
			if changed := strings.Contains(now.Body, "eve"); got.Status != c.want || changed != (c.want == 200) {
				t.Errorf("%d %s, and the row changed: %v; want %d", got.Status, got.Body, changed, c.want)
			}
			if fresh := now.Header.Get("ETag"); c.want == 200 && (fresh == tag || got.Header.Get("ETag") != fresh) {
				t.Errorf("the tag was %s, the answer has %s, and it is %s", tag, got.Header.Get("ETag"), fresh)
			}
		})
	}
}

func TestList(t *testing.T) {
	url := serve(t)
	for _, c := range []struct {
		name, query string
		status      int
		says, lacks string
	}{
		{"all", "", 200, `"id":3`, `"next"`},
		{"no secret", "", 200, `"name"`, "hidden"},
		{"a filter", "?name=bob", 200, `"id":2`, `"id":1`},
		{"none", "?name=eve", 200, `{"items":[]}`, ""},
		{"the smallest page", "?limit=1", 200, `"next":"`, `"id":2`},
		{"the largest page", "?limit=100", 200, `"id":3`, `"next"`},
		{"an include", "?include=posts&id=1", 200, `"title":"Go"`, ""},
		{"no include", "?id=1", 200, `"name":"ada"`, "posts"},
		{"no page", "?limit=0", 400, "limit: a whole number from 1 to 100", ""},
		{"less than none", "?limit=-1", 400, "limit", ""},
		{"a huge page", "?limit=101", 400, "limit", ""},
		{"a page beyond numbers", "?limit=99999999999999999999", 400, "limit", ""},
		{"half a row", "?limit=1.5", 400, "limit", ""},
		{"an empty limit", "?limit=", 400, "limit", ""},
		{"two limits", "?limit=1&limit=2", 400, "limit: is given more than once", ""},
		{"two cursors", "?cursor=a&cursor=b", 400, "cursor: is given more than once", ""},
		{"no cursor of ours", "?cursor=abc", 400, "cursor: is not one of ours", ""},
		{"a field that is not allowed", "?role=admin", 400, "role: cannot be filtered by (allowed: name, id)", ""},
		{"a relation that is not allowed", "?include=comments", 400, "cannot be included (allowed: posts)", ""},
		{"no query string", "?name=%zz", 400, "the query string cannot be read", ""},
		{"a semicolon", "?name=a;b", 400, "the query string cannot be read", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := apptest.Get(t, url+"/"+c.query)
			if got.Status != c.status || !strings.Contains(got.Body, c.says) || c.lacks != "" && strings.Contains(got.Body, c.lacks) {
				t.Errorf("%d %s; want %d with %s, without %s", got.Status, got.Body, c.status, c.says, c.lacks)
			}
		})
	}
}

// The link of a page leads to the next, with the filters of this one.
func TestTheLinkToTheNextPage(t *testing.T) {
	url := serve(t)
	path, seen := "/?sort=-name&limit=2&id__le=3", ""
	for pages := 1; ; pages++ {
		got := apptest.Get(t, url+path)
		seen += got.Body
		link := got.Header.Get("Link")
		if link == "" {
			if pages != 2 || strings.Count(seen, `"id"`) != 3 {
				t.Errorf("%d pages: %s", pages, seen)
			}
			return
		}
		target, rel, ok := strings.Cut(link, ">; ")
		if !ok || rel != `rel="next"` || pages > 2 {
			t.Fatalf("Link: %s", link)
		}
		path = strings.TrimPrefix(target, "<")
	}
}

func TestAnIDThatIsNone(t *testing.T) {
	url := serve(t)
	for _, id := range []string{"0", "-1", "4", "1x", "1.0", "99999999999999999999", "%31%00", "one"} {
		for _, method := range []string{"GET", "PATCH"} {
			if got := apptest.Do(t, method, url+"/"+id+"?", "", nil); got.Status != http.StatusNotFound {
				t.Errorf("%s /%s: %d %s", method, id, got.Status, got.Body)
			}
		}
	}
}

func TestWhatMayNotBeChanged(t *testing.T) {
	url := serve(t)
	// Whoever may not change it does not learn its state either: 403 comes before 412.
	got := apptest.Do(t, "PATCH", url+"/3?name=eve", "", http.Header{"If-Match": {`"x"`}})
	if got.Status != http.StatusForbidden {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := apptest.Do(t, "PATCH", url+"/1?name=bob", "", nil); got.Status != http.StatusConflict || !strings.Contains(got.Body, `"/name"`) {
		t.Errorf("a taken name: %d %s", got.Status, got.Body)
	}
}

func TestRefused(t *testing.T) {
	internal := errors.New("the disk is full")
	for _, c := range []struct {
		name   string
		err    error
		status int
		says   string
	}{
		{"no row", models.ErrNotFound, 404, "none with this id"},
		{"taken", &models.ConflictError{Fields: []string{"name"}}, 409, "has this value"},
		{"what it belongs to is gone", &models.ReferenceError{}, 409, "not there any more"},
		{"unfit", &models.Error{Name: "name", Reason: "is too long"}, 422, "required form"},
		{"an answer already", httperror.New(418, "a teapot"), 418, "a teapot"},
		{"anything else", internal, 500, "disk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := resource.Refused(c.err)
			if httperror.Status(got) != c.status || !strings.Contains(got.Error(), c.says) {
				t.Errorf("%v; want a %d that says %q", got, c.status, c.says)
			}
			if c.status != 418 && c.status != 500 && !errors.Is(got, c.err) {
				t.Errorf("%v has lost its cause", got)
			}
		})
	}
	if err := resource.BadQuery(internal); err != internal { //nolint:errorlint // it is handed on as it is
		t.Errorf("BadQuery made %v of an internal error", err)
	}
}
