package models_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/models"
)

func TestUnfitQueriesNameWhatIsUnfit(t *testing.T) {
	user := models.Users.Where
	post := models.Posts.Where
	of := things.Where
	list := models.Is("id__in", make([]int, 7501))
	fourLists := models.Users.Filter(list, models.Not(list), models.Or(list, models.And(list)))
	for _, test := range []struct {
		err  error
		kind models.ErrorKind
		name string
		want string
	}{
		{user("nam", "x").Check(), models.UnknownField, "nam", `nam: User has no field "nam" (allowed: id, created_at, updated_at, name, role)`},
		{user("", "x").Check(), models.UnknownField, "", `User has no field ""`},
		{user("Name", "x").Check(), models.UnknownField, "Name", "no field"},
		{user("name; DROP TABLE users", "x").Check(), models.UnknownField, "name; DROP TABLE users", "no field"},
		{user("posts", "x").Check(), models.UnknownField, "posts", "no field"},
		{user("posts___titel", "x").Check(), models.UnknownField, "titel", `Post has no field "titel"`},
		{user("posts____title", "x").Check(), models.UnknownField, "_title", "no field"},
		{user("post___title", "x").Check(), models.UnknownRelation, "post", `User has no relation "post" (allowed: posts, comments)`},
		{user("name___title", "x").Check(), models.UnknownRelation, "name", "no relation"},
		{user(strings.Repeat("posts___author___", 4)+"name", "x").Check(), models.UnknownRelation, "posts", "too long"},
		{user("name__contain", "x").Check(), models.UnknownOperator, "contain", `no operator "contain" for a text (allowed: exact, ne, gt`},
		{user("name__", "x").Check(), models.UnknownOperator, "", `no operator ""`},
		{user("name__year", 2026).Check(), models.UnknownOperator, "year", "no operator"},
		{user("id__startswith", "1").Check(), models.UnknownOperator, "startswith", "for a whole number"},
		{of("flag__gt", true).Check(), models.UnknownOperator, "gt", "for true or false (allowed: exact, ne, isnull, in, notin)"},
		{of("bytes", []byte("x")).Check(), models.UnknownOperator, "exact", "(allowed: isnull)"},
		{post("published_at__year_exact", 1).Check(), models.UnknownOperator, "year_exact", "no operator"},
		{post("published_at__week", 1).Check(), models.UnknownOperator, "week", "day_le"},
		{user("name", 7).Check(), models.WrongValue, "name", "name: a text is wanted, not a whole number"},
		{user("name", []byte("x")).Check(), models.WrongValue, "name", "not a Go []uint8"},
		{user("name__gt", nil).Check(), models.WrongValue, "name", "not nil"},
		{user("name", (*string)(nil)).Check(), models.WrongValue, "name", "not nil"},
		{user("name", "a\x00").Check(), models.WrongValue, "name", "NUL"},
		{user("name", "\xff").Check(), models.WrongValue, "name", "UTF-8"},
		{user("id", "7").Check(), models.WrongValue, "id", "a whole number is wanted, not a text"},
		{user("id", 7.0).Check(), models.WrongValue, "id", "a whole number is wanted, not a number"},
		{user("id", uint64(math.MaxUint64)).Check(), models.WrongValue, "id", "too large"},
		{of("small", 128).Check(), models.WrongValue, "small", "out of range"},
		{of("plus", -1).Check(), models.WrongValue, "plus", "out of range"},
		{of("plus", int64(1)<<32).Check(), models.WrongValue, "plus", "out of range"},
		{of("real", math.NaN()).Check(), models.WrongValue, "real", "finite"},
		{of("real", math.Inf(1)).Check(), models.WrongValue, "real", "finite"},
		{of("flag", 1).Check(), models.WrongValue, "flag", "true or false is wanted"},
		{of("flag__isnull", "true").Check(), models.WrongValue, "flag", "true or false is wanted"},
		{user("id", time.Now()).Check(), models.WrongValue, "id", "not a time"},
		{post("published_at", "2026-01-01").Check(), models.WrongValue, "published_at", "a time is wanted, not a text"},
		{post("published_at", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)).Check(), models.WrongValue, "published_at", "1 to 9999"},
		{post("published_at__year", 0).Check(), models.WrongValue, "published_at", "a year from 1 to 9999"},
		{post("published_at__year", "2026").Check(), models.WrongValue, "published_at", "a whole number is wanted"},
		{post("published_at__month", 13).Check(), models.WrongValue, "published_at", "a month from 1 to 12"},
		{post("published_at__day_gt", 32).Check(), models.WrongValue, "published_at", "a day from 1 to 31"},
		{user("id__in", 7).Check(), models.WrongValue, "id", "a list is wanted"},
		{user("id__in", []string{"7"}).Check(), models.WrongValue, "id", "a whole number is wanted"},
		{user("id__in", []any{1, nil}).Check(), models.WrongValue, "id", "not nil"},
		{user("id__in", make([]int, 10_001)).Check(), models.WrongValue, "id", "10000 values at most"},
		{fourLists.Check(), models.WrongValue, "", "the query has 30004 values in all: 30000 at most"},
		{user("id__between", []int{1}).Check(), models.WrongValue, "id", "two values are wanted, not 1"},
		{user("id__between", []int{1, 2, 3}).Check(), models.WrongValue, "id", "not 3"},
		{user("name__like", `a\`).Check(), models.WrongValue, "name", "escapes nothing"},
		{user("name__startswith", strings.Repeat("a", 4097)).Check(), models.WrongValue, "name", "4096 bytes at most"},
		{user("name__contains", strings.Repeat("a", 257)).Check(), models.WrongValue, "name", "256 bytes at most"},
		{user("name__iendswith", strings.Repeat("a", 257)).Check(), models.WrongValue, "name", "256 bytes at most"},
		{user("name__like", "%"+strings.Repeat("a", 257)).Check(), models.WrongValue, "name", "256 bytes at most"},
		{user("name__ilike", "a_%"+strings.Repeat("a", 257)).Check(), models.WrongValue, "name", "256 bytes at most"},
		{user("posts__isnull", 1).Check(), models.WrongValue, "posts", "true or false"},
		{user("posts__exact", 1).Check(), models.UnknownField, "posts", "no field"},
		{models.Users.Sort("nam").Check(), models.UnknownField, "nam", "to sort by"},
		{models.Users.Sort("--name").Check(), models.UnknownField, "-name", "to sort by"},
		{models.Users.Sort("name__exact").Check(), models.UnknownField, "name__exact", "to sort by"},
		{models.Users.Sort("writer___name").Check(), models.UnknownRelation, "writer", "no relation"},
		{models.Users.Sort("posts___title").Check(), models.WrongSort, "posts", "a row has many posts"},
		{models.Users.Sort("name", "-name").Check(), models.WrongSort, "name", "twice"},
		{things.Sort("bytes").Check(), models.UnknownField, "bytes", "to sort by"},
		{models.Users.Filter(models.Or(models.And(models.Is("nam", 1)))).Check(), models.UnknownField, "nam", "no field"},
		{models.Users.Filter(models.Condition{}).Check(), models.UnknownField, "", "no field"},
	} {
		e, ok := errors.AsType[*models.Error](test.err)
		if !ok {
			t.Errorf("%s: %v", test.want, test.err)
			continue
		}
		if e.Kind != test.kind || e.Name != test.name || !strings.Contains(e.Error(), test.want) || strings.Contains(e.Error(), "password") {
			t.Errorf("%s of %q: %v, want %s of %q: %s", e.Kind, e.Name, e, test.kind, test.name, test.want)
		}
	}
}

func TestLongPatternsThatBeginWithAText(t *testing.T) {
	long := strings.Repeat("a", 300)
	for _, q := range []models.Query[models.User]{
		models.Users.Where("name__startswith", long), models.Users.Where("name__like", long+"%"), models.Users.Where("name__like", `\%`+long),
	} {
		if err := q.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestNothingIsSentOfAnUnfitQuery(t *testing.T) {
	db, n := counted(apptest.OpenDatabase(t, apptest.DatabaseURL(t)))
	q := models.Users.Where("nam", "x")
	_, err1 := q.All(t.Context(), db)
	_, _, err2 := q.First(t.Context(), db)
	_, err3 := q.Count(t.Context(), db)
	_, err4 := q.Page(t.Context(), db, "", 1)
	_, _, err5 := q.Find(t.Context(), db, 1)
	_, err6 := q.Exists(t.Context(), db)
	for i, err := range []error{err1, err2, err3, err4, err5, err6} {
		if _, ok := errors.AsType[*models.Error](err); !ok {
			t.Errorf("%d: %v", i+1, err)
		}
	}
	if *n != 0 {
		t.Errorf("%d statements", *n)
	}
}

func TestQueriesNeverChange(t *testing.T) {
	db := apptest.OpenDatabase(t, apptest.DatabaseURL(t))
	write(t, db, 6)
	base := models.Posts.Where("author_id__in", []int64{1, 2}).Sort("id").With("author")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			mine := base.Where("author_id", i%2+1).Sort("-id").With("comments")
			posts, err := mine.All(t.Context(), db)
			if err != nil || len(posts) != 2 || posts[0].AuthorID != int64(i%2+1) || posts[0].ID < posts[1].ID {
				t.Errorf("%v, %v", posts, err)
			}
		})
	}
	all.Wait()
	posts, err := base.All(t.Context(), db)
	if err != nil || len(posts) != 4 || posts[0].ID > posts[1].ID || posts[0].Comments != nil || posts[0].Author == nil {
		t.Errorf("the query that others were built on became another: %v, %v", posts, err)
	}
	if n, err := models.Posts.Count(t.Context(), db); n != 6 || err != nil {
		t.Errorf("the model became another: %d, %v", n, err)
	}
}

func TestCountExistsFirstAndFind(t *testing.T) {
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		if all, err := models.Users.All(t.Context(), db); all == nil || len(all) != 0 || err != nil {
			t.Errorf("no rows are %#v, %v", all, err)
		}
		createThings(t, db)
		fill(t, db)
		for _, q := range []models.Query[models.User]{
			models.Users.Query, models.Users.Where("posts___title__istartswith", "go"), models.Users.Where("name", "nobody"),
			models.Users.Where("posts___comments___author___name", "Bob").Sort("-name").With("posts"),
		} {
			all, err := q.All(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			n, err1 := q.Count(t.Context(), db)
			some, err2 := q.Exists(t.Context(), db)
			first, found, err3 := q.First(t.Context(), db)
			if err := errors.Join(err1, err2, err3); err != nil {
				t.Fatal(err)
			}
			if int(n) != len(all) || some != (n > 0) || found != some || found && first.ID != all[0].ID {
				t.Errorf("%d rows, counted %d, some %v, first %v", len(all), n, some, first)
			}
		}
		if n, err := models.Users.ForUpdate().Count(t.Context(), db); n != 11 || err != nil {
			t.Errorf("%d users to be kept, %v", n, err)
		}
		comments := models.Comments.Where("post___author___name", "Anna").Sort("author___name")
		if n, err := comments.Count(t.Context(), db); n != 3 || err != nil {
			t.Errorf("%d comments, %v", n, err)
		}
		if _, found, err := models.Users.Where("role", models.RoleAdmin).Find(t.Context(), db, 1); found || err != nil {
			t.Errorf("found an id that does not meet the query: %v, %v", found, err)
		}
		if u, found, err := models.Users.With("posts").Find(t.Context(), db, 1); !found || err != nil || len(u.Posts) != 2 {
			t.Errorf("%v, %v, %v", u.Posts, found, err)
		}
	})
}

func TestStringShowsTheChosenFields(t *testing.T) {
	id := models.Base{ID: 11}
	for _, test := range []struct {
		row  fmt.Stringer
		want string
	}{
		{models.Post{Base: id, Title: "Go"}, "<Post #11 title:'Go'>"},
		{models.Post{Title: strings.Repeat("ü", 41)}, "<Post #0 title:'" + strings.Repeat("ü", 40) + "…'>"},
		{&models.User{Base: id, Name: "Ada", PasswordHash: "sesame"}, "<User #11 name:'Ada'>"},
	} {
		if got := test.row.String(); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}

func TestInspection(t *testing.T) {
	columns, err := models.Posts.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
		if c.Name == "published_at" && (!c.Nullable || c.Type != "a time" || !slices.Contains(c.Operators, "year_le")) {
			t.Errorf("%+v", c)
		}
	}
	if want := []string{"id", "created_at", "updated_at", "author_id", "title", "body", "published_at"}; !slices.Equal(names, want) {
		t.Errorf("%v", names)
	}
	relations, err := models.Posts.Relations()
	if want := []models.Relation{{Name: "author", Model: "User"}, {Name: "comments", Model: "Comment", Many: true}}; err != nil || !slices.Equal(relations, want) {
		t.Errorf("%v, %v", relations, err)
	}
	keys, err1 := models.Users.Keys()
	filterable, err2 := models.Users.Filterable()
	sortable, err3 := models.Users.Sortable()
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(keys, []string{"id"}) || slices.Contains(filterable, "password_hash") || slices.Contains(sortable, "password_hash") || !slices.Contains(sortable, "name") {
		t.Errorf("%v %v %v", keys, filterable, sortable)
	}
}

type orphan struct{ Name string }

type twoUnderscores struct {
	models.Base
	AB string `gorm:"column:a__b"`
}

type mistagged struct {
	models.Base
	Secret string `model:"privat"`
}

type tagged struct {
	models.Base
	Users []models.User `gorm:"many2many:tagged_users"`
}

func TestAFaultInAModelIsTheErrorOfEveryCall(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"no Base":         {models.Define[orphan]().Check(), "does not embed Base"},
		"two underscores": {models.Define[twoUnderscores]().Check(), "column a__b"},
		"unknown tag":     {models.Define[mistagged]().Check(), `unknown tag model:"privat"`},
		"many-to-many":    {models.Define[tagged]().Check(), "relation Users"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: %v", name, test.err)
		}
		if _, ok := errors.AsType[*models.Error](test.err); ok {
			t.Errorf("%s: looks like a fault of a query: %v", name, test.err)
		}
	}
}

// What is private must not leave by encoding/json either.
func TestPrivateFieldsAreHiddenFromJSON(t *testing.T) {
	for _, row := range []any{models.User{}, models.Post{}, models.Comment{}} {
		r := reflect.TypeOf(row)
		for f := range r.Fields() {
			if f.Tag.Get("model") == "private" && f.Tag.Get("json") != "-" {
				t.Errorf("%s.%s is private and has not json:\"-\"", r, f.Name)
			}
		}
	}
	if text, err := json.Marshal(models.User{Name: "Ada"}); err != nil || !strings.Contains(string(text), `"created_at"`) {
		t.Errorf("%s, %v", text, err)
	}
}
