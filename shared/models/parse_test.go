package models_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/models"
)

var allow = models.Allow{
	Filter: []string{
		"id", "title", "published_at", "author_id", "author___name", "author___role__exact", "comments___body",
		"comments___author___name__istartswith", "comments__isnull",
	},
	Sort:    []string{"id", "title", "published_at", "author___name"},
	Include: []string{"author", "comments", "comments.author"},
	Other:   []string{"cursor", "limit"},
}

func TestParseFindsWhatPlainSQLFinds(t *testing.T) {
	apptest.EachDatabase(t, func(t *testing.T, databaseURL config.Secret) {
		db := apptest.OpenDatabase(t, databaseURL)
		createThings(t, db)
		fill(t, db)
		for _, test := range []struct{ query, sql string }{
			{"", "SELECT id FROM posts"},
			{"cursor=x&limit=3", "SELECT id FROM posts"},
			{"title=Rust", "SELECT id FROM posts WHERE title = 'Rust'"},
			{"title__exact=Rust", "SELECT id FROM posts WHERE title = 'Rust'"},
			{"title__istartswith=GO", "SELECT id FROM posts WHERE lower(title) LIKE 'go%'"},
			{"title__istartswith=go&title__endswith=n", "SELECT id FROM posts WHERE title = 'Going on'"},
			{"id__in=1,3,99", "SELECT id FROM posts WHERE id IN (1, 3)"},
			{"id__notin=1,3", "SELECT id FROM posts WHERE id NOT IN (1, 3)"},
			{"id__between=2,4", "SELECT id FROM posts WHERE id BETWEEN 2 AND 4"},
			{`title__in=Rust,Go%20at%20last`, "SELECT id FROM posts WHERE title IN ('Rust', 'Go at last')"},
			{`title__in=a\,b,c\\,Rust`, "SELECT id FROM posts WHERE title = 'Rust'"},
			{"published_at__isnull=true", "SELECT id FROM posts WHERE published_at IS NULL"},
			{"published_at__year=2025", "SELECT id FROM posts WHERE id IN (2, 4)"},
			{"published_at__month_ge=2", "SELECT id FROM posts WHERE id IN (1, 4, 6)"},
			{"published_at=2025-01-01", "SELECT id FROM posts WHERE id = 2"},
			{"published_at__gt=2025-01-01T00:00:00%2B01:00", "SELECT id FROM posts WHERE id IN (1, 2, 4, 6)"},
			{"author___name=Anna", "SELECT id FROM posts WHERE author_id = 1"},
			{"author___role=admin", "SELECT id FROM posts WHERE author_id = 3"},
			{"comments___body=yes&comments___author___name__istartswith=ann", "SELECT post_id FROM comments WHERE body = 'yes'"},
			{"comments__isnull=true", "SELECT id FROM posts WHERE id NOT IN (SELECT post_id FROM comments)"},
			{`filter={"or":[{"title":"Rust"},{"and":[{"id__ge":2},{"id__le":2}]},{"not":{"id__lt":6}}]}`, "SELECT id FROM posts WHERE id IN (2, 3, 6)"},
			{`filter={"id__in":[1,3],"title__in":["Rust"]}`, "SELECT id FROM posts WHERE id = 3"},
			{`filter={"published_at__year_lt":2026,"not":{"published_at__isnull":true}}&id__gt=1`, "SELECT id FROM posts WHERE id IN (2, 4)"},
			{`filter={}`, "SELECT id FROM posts"},
			{`filter={"or":[]}`, "SELECT id FROM posts WHERE 1 = 0"},
		} {
			t.Run(test.query, func(t *testing.T) {
				values, err := url.ParseQuery(strings.ReplaceAll(test.query, `"`, "%22"))
				if err != nil {
					t.Fatal(err)
				}
				q, err := models.Posts.Parse(values, allow)
				if err != nil {
					t.Fatal(err)
				}
				posts, err := q.All(t.Context(), db)
				if err != nil {
					t.Fatal(err)
				}
				got := idsOf(posts, func(p models.Post) int64 { return p.ID })
				slices.Sort(got)
				if want := slices.Compact(ids(t, db, test.sql)); !slices.Equal(got, want) {
					t.Errorf("found %v, plain SQL %v", got, want)
				}
			})
		}
		q, err := models.Posts.Where("id__le", 4).Parse(url.Values{"sort": {"-author___name,title"}, "include": {"comments.author,author"}}, allow)
		if err != nil {
			t.Fatal(err)
		}
		posts, err := q.All(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		if got := idsOf(posts, func(p models.Post) int64 { return p.ID }); !slices.Equal(got, []int64{3, 4, 1, 2}) {
			t.Errorf("sorted %v", got)
		}
		if posts[2].Author == nil || len(posts[2].Comments) != 2 || posts[2].Comments[0].Author == nil {
			t.Errorf("not included: %+v", posts[2])
		}
	})
}

func TestParseRefusesWithTheReason(t *testing.T) {
	long := strings.Repeat("x", 5000)
	deep := strings.Repeat(`{"not":`, 9) + "{}" + strings.Repeat("}", 9)
	many := `{"or":[` + strings.Repeat(`{"id":1},`, 60) + `{"id":1}]}`
	for _, test := range []struct {
		key, value string
		kind       models.ErrorKind
		want       string
	}{
		{"name", "x", models.NotAllowed, "name: cannot be filtered by (allowed: id, title,"},
		{"body", "x", models.NotAllowed, "body: cannot be filtered by"},
		{"author___password_hash", "x", models.NotAllowed, "cannot be filtered by"},
		{"author___role__ne", "x", models.NotAllowed, "cannot be filtered by"},
		{"author___posts___title", "x", models.NotAllowed, "cannot be filtered by"},
		{"title; DROP TABLE posts", "x", models.NotAllowed, "cannot be filtered by"},
		{"", "x", models.NotAllowed, "cannot be filtered by"},
		{long, "x", models.NotAllowed, "xxx…: cannot be filtered by"},
		{"title__contain", "x", models.UnknownOperator, `no operator "contain" for this field (allowed: exact`},
		{"title__", "x", models.UnknownOperator, `no operator ""`},
		{"id__startswith", "1", models.UnknownOperator, "no operator"},
		{"comments__isnull", "yes", models.WrongValue, "comments__isnull: true or false is wanted"},
		{"id", "one", models.WrongValue, "id: a whole number is wanted"},
		{"id", "1.0", models.WrongValue, "a whole number is wanted"},
		{"id", "", models.WrongValue, "a whole number is wanted"},
		{"id", "99999999999999999999", models.WrongValue, "a whole number is wanted"},
		{"id__in", "1,,2", models.WrongValue, "a whole number is wanted"},
		{"id__between", "1", models.WrongValue, "two values are wanted, not 1"},
		{"title", "a\x00", models.WrongValue, "NUL"},
		{"title", "\xff", models.WrongValue, "UTF-8"},
		{"title__like", `x\`, models.WrongValue, "escapes nothing"},
		{"title__icontains", long, models.WrongValue, "too long"},
		{"published_at", "yesterday", models.WrongValue, "a time such as"},
		{"published_at", "2026-13-01", models.WrongValue, "a time such as"},
		{"published_at", "0000-01-01", models.WrongValue, "1 to 9999"},
		{"published_at__year", "x", models.WrongValue, "a whole number is wanted"},
		{"published_at__year", "10000", models.WrongValue, "a year from 1 to 9999"},
		{"published_at__isnull", "1", models.WrongValue, "true or false is wanted"},
		{"sort", "body", models.NotAllowed, `sort: "body" cannot be sorted by (allowed: id, title, published_at, author___name)`},
		{"sort", "", models.NotAllowed, `"" cannot be sorted by`},
		{"sort", "--id", models.NotAllowed, `"--id" cannot be sorted by`},
		{"sort", "id,id", models.WrongSort, "twice"},
		{"sort", "title,-title", models.WrongSort, "twice"},
		{"include", "author.posts", models.NotAllowed, `include: "author.posts" cannot be included (allowed: author, comments, comments.author)`},
		{"include", "", models.NotAllowed, "cannot be included"},
		{"filter", "{", models.WrongValue, "filter: is not JSON"},
		{"filter", "{} {}", models.WrongValue, "more than one JSON value"},
		{"filter", "{}}", models.WrongValue, "more than one JSON value"},
		{"filter", "[]", models.WrongValue, "an object such as"},
		{"filter", `{"or":{}}`, models.WrongValue, `a list is wanted for "or"`},
		{"filter", `{"not":[]}`, models.WrongValue, "an object such as"},
		{"filter", `{"body":"x"}`, models.NotAllowed, "body: cannot be filtered by"},
		{"filter", `{"id":"1"}`, models.WrongValue, "id: a whole number is wanted"},
		{"filter", `{"id":1.5}`, models.WrongValue, "id: a whole number is wanted"},
		{"filter", `{"id":null}`, models.WrongValue, "id: a whole number is wanted"},
		{"filter", `{"title":7}`, models.WrongValue, "title: a text is wanted"},
		{"filter", `{"title":["x"]}`, models.WrongValue, "title: a text is wanted"},
		{"filter", `{"id__in":1}`, models.WrongValue, "a list is wanted"},
		{"filter", `{"published_at__isnull":"true"}`, models.WrongValue, "true or false"},
		{"filter", `{"or":[],"or":[{"id":1}]}`, models.WrongValue, "filter: has a name twice in one object"},
		{"filter", `{"not":{"title":"a","t\u0069tle":"b"}}`, models.WrongValue, "has a name twice"},
		{"filter", deep, models.WrongValue, "nested deeper than 5"},
		{"filter", many, models.NotAllowed, "more than 50 conditions"},
	} {
		_, err := models.Posts.Parse(url.Values{test.key: {test.value}}, allow)
		e, ok := errors.AsType[*models.Error](err)
		if !ok || e.Kind != test.kind || !strings.Contains(e.Error(), test.want) || len(e.Error()) > 700 || strings.Contains(e.Error(), "password_hash: Post") {
			t.Errorf("%.40s=%.40s: %v, want %s: %s", test.key, test.value, err, test.kind, test.want)
		}
	}
	_, err := models.Posts.Parse(url.Values{"id": {"1", "2"}}, allow)
	if err == nil || !strings.Contains(err.Error(), "id: is given more than once") {
		t.Errorf("%v", err)
	}
	if _, err := models.Posts.Parse(url.Values{"filter": {"{}"}}, models.Allow{}); err == nil {
		t.Error("a filter where no field is allowed")
	}
}

func TestAFaultInTheAllowListIsNotTheClients(t *testing.T) {
	for name, allow := range map[string]models.Allow{
		"unknown field":    {Filter: []string{"titel"}},
		"unknown relation": {Filter: []string{"writer___name"}},
		"unknown operator": {Filter: []string{"title__contain"}},
		"wrong operator":   {Filter: []string{"id__startswith"}},
		"private":          {Filter: []string{"author___password_hash"}},
		"private, sorted":  {Sort: []string{"author___password_hash"}},
		"unknown sort":     {Sort: []string{"titel"}},
		"unknown include":  {Include: []string{"writer"}},
	} {
		_, err := models.Posts.Parse(url.Values{}, allow)
		if err == nil || !strings.Contains(err.Error(), "allow-list of Post") {
			t.Errorf("%s: %v", name, err)
		}
		if _, ok := errors.AsType[*models.Error](err); ok {
			t.Errorf("%s would be shown to the client: %v", name, err)
		}
	}
}

// Whatever a client sends: no panic, no error of the database, nothing of it in the
// SQL but in the place of values.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"title__icontains=go&sort=-published_at&include=author", "id__in=1,2,3&id__between=1,2", "author___name__like=a%25_",
		`filter={"or":[{"title":"x"},{"not":{"comments___body__endswith":"y"}}]}`, "published_at__year_ge=2026&cursor=W10",
		"title=';DROP TABLE posts;--", "title\"=x", "sort=title;", "published_at=2026-01-01T00:00:00Z", "title__like=%5C", "title__ilike=[*?", "%00=%ff",
	} {
		f.Add(seed, "")
	}
	f.Add("sort=-published_at,title", "WyIxIixudWxsLCJ0IiwxXQ")
	db := apptest.OpenDatabase(f, apptest.DatabaseURL(f))
	plain(f, db, "INSERT INTO users (created_at, updated_at, name) VALUES ('2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', 'a')")
	plain(f, db, "INSERT INTO posts (created_at, updated_at, author_id, title, body) SELECT created_at, updated_at, id, 'go', '' FROM users")
	f.Fuzz(func(t *testing.T, query, cursor string) {
		values, _ := url.ParseQuery(query) // what can be read of it, as net/http does
		q, err := models.Posts.Parse(values, allow)
		if err != nil {
			if _, ok := errors.AsType[*models.Error](err); !ok {
				t.Fatalf("not a fault of the client: %v", err)
			}
			return
		}
		var statements []string
		tell := recorded(db, &statements)
		if _, err := q.Count(t.Context(), tell); err != nil {
			t.Fatalf("%q: %v", query, err)
		}
		if _, err := q.Page(t.Context(), tell, cursor, 2); err != nil {
			if _, ok := errors.AsType[*models.Error](err); !ok {
				t.Fatalf("%q: %v", query, err)
			}
		}
		for _, sql := range statements {
			for word := range words(sql) {
				if !known[word] {
					t.Fatalf("%q brought %q into %s", query, word, sql)
				}
			}
		}
	})
}

var known = func() map[string]bool {
	all := map[string]bool{}
	for word := range strings.FieldsSeq(`SELECT FROM WHERE AND OR NOT IN IS NULL NULLS FIRST LAST BETWEEN LIKE GLOB ESCAPE EXISTS LEFT JOIN ON
		ORDER BY DESC LIMIT CAST AS integer strftime count m d ILIKE EXTRACT MONTH DAY AT TIME ZONE UTC
		posts users comments author comments___author id created_at updated_at author_id post_id title body published_at name role password_hash
		Author__id Author__created_at Author__updated_at Author__name Author__role Author__password_hash`) {
		all[word] = true
	}
	return all
}()

// words yields the words of a statement that has ? for its values.
func words(sql string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for word := range strings.FieldsFuncSeq(sql, func(r rune) bool {
			return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r < 0x80
		}) {
			if strings.Trim(word, "0123456789") != "" && !yield(word) {
				return
			}
		}
	}
}

func TestWordsAreFound(t *testing.T) {
	if got := fmt.Sprint(slices.Collect(words("SELECT `a`.\"b_c\" WHERE x1 = ? LIMIT 10"))); got != "[SELECT a b_c WHERE x1 LIMIT]" {
		t.Error(got)
	}
}

// recorded returns db whose statements are written down, with ? for the values.
func recorded(db *gorm.DB, statements *[]string) *gorm.DB {
	return db.Session(&gorm.Session{Logger: recorder{db.Logger, statements}})
}

type recorder struct {
	logger.Interface
	statements *[]string
}

func (r recorder) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) {
	return sql, nil
}

func (r recorder) Trace(_ context.Context, _ time.Time, statement func() (string, int64), _ error) {
	sql, _ := statement()
	*r.statements = append(*r.statements, sql)
}
