package posts_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-api/tandem/functions/posts"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/models"
)

// client asks the posts function, as ada, bob or the admin root; "" is not logged in.
type client struct {
	t    *testing.T
	app  *apptest.App
	db   *database.DB
	url  string
	user string
}

func newClient(t *testing.T, change ...func(*config.Config)) client {
	t.Helper()
	app := apptest.New(t, change...)
	db, err := database.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []models.User{{Name: "ada"}, {Name: "bob"}, {Name: "root", Role: models.RoleAdmin}} {
		if err := models.Users.Create(t.Context(), db, &u); err != nil {
			t.Fatal(err)
		}
	}
	return client{t, app, db, app.Serve(posts.Function), "ada"}
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

func (c client) want(got apptest.Answer, status int) apptest.Answer {
	c.t.Helper()
	if got.Status != status {
		c.t.Fatalf("%d %s, want %d", got.Status, got.Body, status)
	}
	return got
}

// post writes one and returns its path.
func (c client) post(title string) string {
	c.t.Helper()
	return c.want(c.do("POST", "/posts", `{"title":`+quote(title)+`,"body":"text"}`), 201).Header.Get("Location")
}

func quote(s string) string { b, _ := json.Marshal(s); return string(b) }

func read(t *testing.T, a apptest.Answer) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.Body), &m); err != nil {
		t.Fatalf("%v: %s", err, a.Body)
	}
	return m
}

func TestWriteReadChangeDelete(t *testing.T) {
	c := newClient(t)
	made := c.want(c.do("POST", "/posts", `{"title":"One","body":"text","published_at":"2026-11-23T12:00:00+01:00"}`), 201)
	path, one := made.Header.Get("Location"), read(t, made)
	if path != "/posts/1" || one["id"] != 1.0 || one["author_id"] != 1.0 || one["title"] != "One" || one["published_at"] != "2026-11-23T11:00:00Z" {
		t.Fatalf("%s at %s", made.Body, path)
	}
	got := c.as("bob").want(c.as("bob").do("GET", path, ""), 200)
	if got.Body != made.Body || got.Header.Get("ETag") != made.Header.Get("ETag") {
		t.Errorf("read %s, written %s", got.Body, made.Body)
	}

	put := read(t, c.want(c.do("PUT", path, `{"title":"Two","body":""}`), 200))
	if put["title"] != "Two" || put["body"] != "" || put["published_at"] != nil || put["created_at"] != one["created_at"] || put["updated_at"] == one["updated_at"] {
		t.Errorf("replaced: %v", put)
	}
	patched := read(t, c.want(c.do("PATCH", path, `{"body":"more","published_at":"2027-01-01T00:00:00Z"}`, "Content-Type", "application/merge-patch+json"), 200))
	if patched["title"] != "Two" || patched["body"] != "more" || patched["published_at"] != "2027-01-01T00:00:00Z" {
		t.Errorf("patched: %v", patched)
	}
	if gone := read(t, c.want(c.do("PATCH", path, `{"published_at":null}`), 200)); gone["published_at"] != nil || gone["body"] != "more" {
		t.Errorf("taken away: %v", gone)
	}
	if same := read(t, c.want(c.do("PATCH", path, `{}`), 200)); same["title"] != "Two" {
		t.Errorf("patched by nothing: %v", same)
	}

	if got := c.want(c.do("DELETE", path, ""), 204); got.Body != "" {
		t.Errorf("deleted: %q", got.Body)
	}
	c.want(c.do("GET", path, ""), 404)
	c.want(c.do("DELETE", path, ""), 404)
}

func TestRefusals(t *testing.T) {
	c := newClient(t)
	path := c.post("Ada's")
	const good = `{"title":"x","body":"x"}`
	for _, test := range []struct {
		name, user, method, path, body string
		status                         int
		says                           string
	}{
		{"not logged in", "", "GET", "/posts", "", 401, ""},
		{"not logged in, one", "", "GET", path, "", 401, ""},
		{"not logged in, writing", "", "POST", "/posts", good, 401, ""},
		{"a user who is no more", "eve", "GET", "/posts", "", 401, "no more"},
		{"another's, replace", "bob", "PUT", path, good, 403, "owner"},
		{"another's, patch", "bob", "PATCH", path, `{"title":"x"}`, 403, "owner"},
		{"another's, delete", "bob", "DELETE", path, "", 403, "owner"},
		{"not there", "ada", "GET", "/posts/99", "", 404, ""},
		{"not there, replace", "ada", "PUT", "/posts/99", good, 404, ""},
		{"not there, patch", "ada", "PATCH", "/posts/99", `{}`, 404, ""},
		{"no id", "ada", "GET", "/posts/one", "", 404, ""},
		{"no id, zero", "ada", "GET", "/posts/0", "", 404, ""},
		{"no id, huge", "ada", "DELETE", "/posts/99999999999999999999", "", 404, ""},
		{"no title", "ada", "POST", "/posts", `{"body":"x"}`, 422, `"/title"`},
		{"an empty title", "ada", "POST", "/posts", `{"title":"","body":"x"}`, 422, `"/title"`},
		{"a long title", "ada", "POST", "/posts", `{"title":"` + strings.Repeat("x", 201) + `","body":"x"}`, 422, `"/title"`},
		{"an author", "ada", "POST", "/posts", `{"title":"x","body":"x","author_id":2}`, 422, `"/author_id"`},
		{"no time", "ada", "POST", "/posts", `{"title":"x","body":"x","published_at":"soon"}`, 422, `"/published_at"`},
		{"a year too far", "ada", "PATCH", path, `{"published_at":"0000-01-01T00:00:00Z"}`, 422, `"/published_at"`},
		{"a NUL", "ada", "POST", "/posts", `{"title":"\u0000","body":"x"}`, 422, `"/title"`},
		{"a NUL, patch", "ada", "PATCH", path, `{"body":"\u0000"}`, 422, `"/body"`},
		{"null for a title", "ada", "PATCH", path, `{"title":null}`, 422, `"/title"`},
		{"patch of an id", "ada", "PATCH", path, `{"id":7}`, 422, `"/id"`},
		{"no JSON", "ada", "PATCH", path, `title`, 400, ""},
		{"unfit filter", "ada", "GET", "/posts?author___password_hash=x", "", 400, "author___password_hash: cannot be filtered by"},
		{"unfit operator", "ada", "GET", "/posts?title__near=x", "", 400, `no operator \"near\"`},
		{"unfit value", "ada", "GET", "/posts?id=one", "", 400, "id: a whole number is wanted"},
		{"unfit sort", "ada", "GET", "/posts?sort=body", "", 400, "cannot be sorted by"},
		{"unfit cursor", "ada", "GET", "/posts?cursor=abc", "", 400, "cursor: is not one of ours"},
		{"unfit limit", "ada", "GET", "/posts?limit=101", "", 400, "limit: a whole number from 1 to 100"},
		{"no limit", "ada", "GET", "/posts?limit=", "", 400, "limit"},
		{"unfit include", "ada", "GET", "/posts?include=author.posts", "", 400, "cannot be included"},
		{"unfit include of one", "ada", "GET", path + "?include=writer", "", 400, "cannot be included"},
		{"a filter of one", "ada", "GET", path + "?title=x", "", 400, "title: cannot be filtered by"},
		{"unreadable", "ada", "GET", "/posts?title=%zz", "", 400, "cannot be read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := c.as(test.user).do(test.method, test.path, test.body)
			if got.Status != test.status || !strings.Contains(got.Body, test.says) || got.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %s, want %d and %s", got.Status, got.Body, test.status, test.says)
			}
		})
	}
	if n, err := models.Posts.Count(t.Context(), c.db); n != 1 || err != nil {
		t.Errorf("%d posts, %v", n, err)
	}
	if reports := c.app.Reports(); len(reports) > 0 {
		t.Errorf("the client's mistakes were reported: %+v", reports)
	}
	c.as("root").want(c.as("root").do("PATCH", path, `{"title":"by an admin"}`), 200)
}

func titles(t *testing.T, a apptest.Answer) []string {
	t.Helper()
	all := []string{}
	for _, item := range read(t, a)["items"].([]any) {
		all = append(all, item.(map[string]any)["title"].(string))
	}
	return all
}

func TestLists(t *testing.T) {
	c := newClient(t)
	for i := range 5 {
		c.as([]string{"ada", "bob"}[i%2]).post(fmt.Sprint("post ", i))
	}
	first, err := models.Posts.FindOrFail(t.Context(), c.db, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := models.Comments.Create(t.Context(), c.db, &models.Comment{PostID: first.ID, AuthorID: 2, Body: "well said"}); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"":                                "[post 0 post 1 post 2 post 3 post 4]",
		"?sort=-created_at":               "[post 4 post 3 post 2 post 1 post 0]",
		"?author___name=bob&sort=-title":  "[post 3 post 1]",
		"?title__in=post 1,post 4,x":      "[post 1 post 4]",
		"?comments___body__icontains=SAI": "[post 0]",
		`?filter={"or":[{"title":"post 2"},{"not":{"id__lt":5}}]}`: "[post 2 post 4]",
		"?limit=2":          "[post 0 post 1]",
		"?title__ilike=NO%": "[]",
	} {
		path, q, _ := strings.Cut("/posts"+query, "?")
		got := c.want(c.do("GET", path+"?"+strings.NewReplacer(" ", "%20", `"`, "%22", "%", "%25").Replace(q), ""), 200)
		if titles := fmt.Sprint(titles(t, got)); titles != want {
			t.Errorf("%s: %s, want %s", query, titles, want)
		}
	}

	got := c.want(c.do("GET", "/posts?include=author,comments.author&limit=1", ""), 200)
	item := read(t, got)["items"].([]any)[0].(map[string]any)
	if strings.Contains(got.Body, "password") || item["author"].(map[string]any)["name"] != "ada" ||
		item["comments"].([]any)[0].(map[string]any)["author"].(map[string]any)["name"] != "bob" {
		t.Errorf("%s", got.Body)
	}
	if one := read(t, c.want(c.do("GET", "/posts/1?include=author", ""), 200)); one["author"].(map[string]any)["name"] != "ada" || one["comments"] != nil {
		t.Errorf("%v", one)
	}
}

func TestPagesByCursorAndByLink(t *testing.T) {
	c := newClient(t)
	for i := range 7 {
		c.post(fmt.Sprint("post ", i))
	}
	const start = "/posts?sort=-created_at&limit=3&author___name=ada"
	var byCursor, byLink []string
	for path := start; path != ""; {
		got := c.want(c.do("GET", path, ""), 200)
		byCursor = append(byCursor, titles(t, got)...)
		next, _ := read(t, got)["next"].(string)
		if path = ""; next != "" {
			path = start + "&cursor=" + url.QueryEscape(next)
		}
	}
	for path := start; path != ""; {
		got := c.want(c.do("GET", path, ""), 200)
		byLink = append(byLink, titles(t, got)...)
		path, _, _ = strings.Cut(strings.TrimPrefix(got.Header.Get("Link"), "<"), ">")
	}
	want := []string{"post 6", "post 5", "post 4", "post 3", "post 2", "post 1", "post 0"}
	if !slices.Equal(byCursor, want) || !slices.Equal(byLink, want) {
		t.Errorf("by cursor %v, by link %v", byCursor, byLink)
	}
}

func TestConditionalRequests(t *testing.T) {
	c := newClient(t)
	path := c.post("One")
	tag := c.want(c.do("GET", path, ""), 200).Header.Get("ETag")
	for _, header := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
		if got := c.want(c.do("GET", path, "", "If-None-Match", header), 304); got.Body != "" || got.Header.Get("ETag") != tag {
			t.Errorf("%s: %q, ETag %s", header, got.Body, got.Header.Get("ETag"))
		}
	}
	list := c.want(c.do("GET", "/posts", ""), 200).Header.Get("ETag")
	c.want(c.do("GET", "/posts", "", "If-None-Match", list), 304)

	const body = `{"title":"Two","body":"x"}`
	for _, stale := range []string{`"x"`, "W/" + tag, tag[1:]} {
		c.want(c.do("PUT", path, body, "If-Match", stale), 412)
		c.want(c.do("PATCH", path, `{"title":"Two"}`, "If-Match", stale), 412)
		c.want(c.do("DELETE", path, "", "If-Match", stale), 412)
	}
	for _, excluded := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
		c.want(c.do("PUT", path, body, "If-None-Match", excluded), 412)
		c.want(c.do("PATCH", path, `{"title":"Two"}`, "If-None-Match", excluded, "If-Match", tag), 412)
		c.want(c.do("DELETE", path, "", "If-None-Match", excluded), 412)
	}
	put := c.want(c.do("PUT", path, body, "If-Match", `"x", `+tag, "If-None-Match", `"x"`), 200)
	if put.Header.Get("ETag") == tag {
		t.Error("the tag stayed the same")
	}
	c.want(c.do("GET", path, "", "If-None-Match", tag), 200)
	c.want(c.do("GET", "/posts", "", "If-None-Match", list), 200)
	c.want(c.do("PATCH", path, `{"title":"Three"}`, "If-Match", tag), 412)
	c.want(c.do("PATCH", path, `{"title":"Three"}`, "If-Match", put.Header.Get("ETag")), 200)
	c.want(c.do("DELETE", path, "", "If-Match", "*"), 204)
	c.want(c.do("DELETE", path, "", "If-Match", "*"), 404)
	c.as("bob").want(c.as("bob").do("DELETE", c.post("x"), "", "If-Match", `"x"`), 403)
}

// Of many who change what they have all seen, one does.
func TestOneOfManyChangesWins(t *testing.T) {
	apptest.EachDatabase(t, func(t *testing.T, databaseURL config.Secret) {
		c := newClient(t, func(s *config.Config) { s.DatabaseURL = databaseURL })
		path := c.post("One")
		tag := c.want(c.do("GET", path, ""), 200).Header.Get("ETag")
		statuses := map[int]int{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				got := c.do("PATCH", path, fmt.Sprintf(`{"title":"by %d"}`, i), "If-Match", tag)
				mu.Lock()
				defer mu.Unlock()
				statuses[got.Status]++
			})
		}
		all.Wait()
		if !maps.Equal(statuses, map[int]int{200: 1, 412: 7}) {
			t.Errorf("%v", statuses)
		}
	})
}

func TestIdempotencyKey(t *testing.T) {
	c := newClient(t)
	const body = `{"title":"Once","body":"x"}`
	first := c.want(c.do("POST", "/posts", body, "Idempotency-Key", "k1"), 201)
	again := c.want(c.do("POST", "/posts", body, "Idempotency-Key", "k1"), 201)
	if again.Body != first.Body || again.Header.Get("Location") != first.Header.Get("Location") || again.Header.Get("ETag") != first.Header.Get("ETag") {
		t.Errorf("%s, again %s", first.Body, again.Body)
	}
	c.want(c.do("POST", "/posts", `{"title":"Other","body":"x"}`, "Idempotency-Key", "k1"), 422)
	c.as("bob").want(c.as("bob").do("POST", "/posts", body, "Idempotency-Key", "k1"), 201)
	c.want(c.do("POST", "/posts", body, "Idempotency-Key", "k2"), 201)
	c.want(c.do("POST", "/posts", body), 201)
	if n, _ := models.Posts.Count(t.Context(), c.db); n != 4 {
		t.Errorf("%d posts", n)
	}
	c.app.Redis.FastForward(25 * time.Hour)
	c.want(c.do("POST", "/posts", body, "Idempotency-Key", "k1"), 201)
	if n, _ := models.Posts.Count(t.Context(), c.db); n != 5 {
		t.Errorf("%d posts a day later", n)
	}
}

// A post and the job that announces it are written in one transaction.
func TestAPublishedPostIsAnnouncedOnce(t *testing.T) {
	const past, future = `"2026-01-02T03:04:05Z"`, `"2999-01-02T03:04:05Z"`
	body := func(at string) string { return `{"title":"News","body":"text","published_at":` + at + `}` }
	patch := func(at string) func(client, string) {
		return func(c client, path string) {
			c.want(c.do("PATCH", path, `{"published_at":`+at+`}`, "Content-Type", "application/merge-patch+json"), 200)
		}
	}
	for _, step := range []struct {
		name  string
		first string // published_at at the creation
		then  []func(client, string)
		want  int
	}{
		{"at once", past, nil, 1},
		{"a draft", "null", nil, 0},
		{"a date to come", future, nil, 0},
		{"a draft, later published", "null", []func(client, string){patch(past)}, 1},
		{"published, then changed", past, []func(client, string){patch(past)}, 1},
		{"taken back, and published again", past, []func(client, string){patch("null"), patch(past)}, 2},
	} {
		t.Run(step.name, func(t *testing.T) {
			c := newClient(t)
			path := c.want(c.do("POST", "/posts", body(step.first)), 201).Header.Get("Location")
			for _, then := range step.then {
				then(c, path)
			}
			var messages []string
			if err := c.db.Raw("SELECT message FROM outbox_jobs").Scan(&messages).Error; err != nil {
				t.Fatal(err)
			}
			if len(messages) != step.want {
				t.Fatalf("%d jobs in the outbox, want %d: %q", len(messages), step.want, messages)
			}
			for _, m := range messages {
				if !strings.Contains(m, "announce_post") {
					t.Errorf("another job: %s", m)
				}
			}
		})
	}
}

func TestAPostThatIsRefusedIsNotAnnounced(t *testing.T) {
	c := newClient(t)
	c.want(c.as("bob").do("POST", "/posts", `{"title":"","body":"text","published_at":"2026-01-02T03:04:05Z"}`), 422)
	var n int
	if err := c.db.Raw("SELECT count(*) FROM outbox_jobs").Scan(&n).Error; err != nil || n != 0 {
		t.Errorf("%v, %d jobs in the outbox, want none", err, n)
	}
}
