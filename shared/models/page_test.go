package models_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/models"
)

// write makes n posts with few different titles, times and authors, so that every order
// has ties and NULLs.
func write(t *testing.T, db *gorm.DB, n int) {
	t.Helper()
	for i := range 3 {
		u := models.User{Name: fmt.Sprint("author ", (i*2)%3)}
		if err := models.Users.Create(t.Context(), db, &u); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		p := models.Post{AuthorID: int64(i%3 + 1), Title: fmt.Sprint("t", i*7%4)}
		if i%3 > 0 {
			p.PublishedAt = new(utc(2026, time.Month(i%5+1), 1, 0, 0, 0, i%2))
		}
		if err := models.Posts.Create(t.Context(), db, &p); err != nil {
			t.Fatal(err)
		}
	}
}

var orders = []struct {
	fields []string
	sql    string // NULLS: NULL is larger than any value
}{
	{nil, "p.id"},
	{[]string{"-id"}, "p.id DESC"},
	{[]string{"title"}, "p.title, p.id"},
	{[]string{"-title"}, "p.title DESC, p.id DESC"},
	{[]string{"published_at"}, "p.published_at IS NULL, p.published_at, p.id"},
	{[]string{"-published_at"}, "p.published_at IS NOT NULL, p.published_at DESC, p.id DESC"},
	{[]string{"title", "-published_at"}, "p.title, p.published_at IS NOT NULL, p.published_at DESC, p.id DESC"},
	{[]string{"-published_at", "title"}, "p.published_at IS NOT NULL, p.published_at DESC, p.title, p.id"},
	{[]string{"author___name", "-id"}, "u.name, p.id DESC"},
	{[]string{"-author___name", "published_at", "title"}, "u.name DESC, p.published_at IS NULL, p.published_at, p.title, p.id"},
}

func TestPagesFollowEveryOrder(t *testing.T) {
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		write(t, db, 23)
		for _, order := range orders {
			t.Run(fmt.Sprint(order.fields), func(t *testing.T) {
				var want []int64
				sql := "SELECT p.id FROM posts p LEFT JOIN users u ON u.id = p.author_id ORDER BY " + order.sql
				if err := db.Raw(sql).Scan(&want).Error; err != nil {
					t.Fatal(err)
				}
				q := models.Posts.Sort(order.fields...)
				all, err := q.All(t.Context(), db)
				if err != nil {
					t.Fatal(err)
				}
				if got := idsOf(all, func(p models.Post) int64 { return p.ID }); !slices.Equal(got, want) {
					t.Errorf("All: %v, want %v", got, want)
				}
				for _, size := range []int{1, 4, 23, 100} {
					var got []int64
					cursor, pages := "", 0
					for {
						page, err := q.Page(t.Context(), db, cursor, size)
						if err != nil {
							t.Fatal(err)
						}
						got = append(got, idsOf(page.Items, func(p models.Post) int64 { return p.ID })...)
						pages++
						if cursor = page.Next; cursor == "" {
							break
						}
					}
					if !slices.Equal(got, want) {
						t.Errorf("pages of %d: %v, want %v", size, got, want)
					}
					if most := (23 + size - 1) / size; pages != most {
						t.Errorf("%d pages of %d, want %d", pages, size, most)
					}
				}
			})
		}
	})
}

func TestPagesNeitherShiftNorRepeat(t *testing.T) {
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		write(t, db, 10)
		q := models.Posts.Sort("-created_at")
		seen := map[int64]int{}
		cursor := ""
		for {
			page, err := q.Page(t.Context(), db, cursor, 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page.Items {
				seen[p.ID]++
			}
			// A new row at the top, and the last one that was seen goes: also the one
			// that the cursor was made from.
			if err := models.Posts.Create(t.Context(), db, &models.Post{AuthorID: 1, Title: "new"}); err != nil {
				t.Fatal(err)
			}
			if n, err := models.Posts.Destroy(t.Context(), db, page.Items[len(page.Items)-1].ID); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		for id := range int64(10) {
			if seen[id+1] != 1 {
				t.Errorf("post %d was seen %d times", id+1, seen[id+1])
			}
		}
	})
}

func TestPageKeepsTheFilterAndLoadsRelations(t *testing.T) {
	db := apptest.OpenDatabase(t, apptest.DatabaseURL(t))
	write(t, db, 12)
	page, err := models.Posts.Where("author_id", 1).Sort("author___name", "-id").With("author", "comments").Page(t.Context(), db, "", 2)
	if err != nil {
		t.Fatal(err)
	}
	next, err := models.Posts.Where("author_id", 1).Sort("author___name", "-id").Page(t.Context(), db, page.Next, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range slices.Concat(page.Items, next.Items) {
		if p.AuthorID != 1 || p.Author == nil || p.Author.ID != 1 {
			t.Errorf("%v by %v", p, p.Author)
		}
	}
	if got := idsOf(slices.Concat(page.Items, next.Items), func(p models.Post) int64 { return p.ID }); !slices.Equal(got, []int64{10, 7, 4, 1}) {
		t.Errorf("%v", got)
	}
	if page.Items[0].Comments == nil || next.Items[0].Comments != nil {
		t.Error("comments were asked for on the first page alone")
	}
}

func TestAPageWhoseCursorWouldBeTooLongIsRefused(t *testing.T) {
	db := apptest.OpenDatabase(t, apptest.DatabaseURL(t))
	write(t, db, 1)
	for range 2 {
		if err := models.Posts.Create(t.Context(), db, &models.Post{AuthorID: 1, Body: strings.Repeat("x", 9000)}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := models.Posts.Sort("-body").Page(t.Context(), db, "", 1)
	if e, ok := errors.AsType[*models.Error](err); !ok || e.Kind != models.WrongSort || !strings.Contains(e.Error(), "too long for a cursor") {
		t.Errorf("%v", err)
	}
}

func TestCursorsOfOthersAreRefused(t *testing.T) {
	db := apptest.OpenDatabase(t, apptest.DatabaseURL(t))
	write(t, db, 5)
	q := models.Posts.Sort("-published_at", "title")
	page, err := q.Page(t.Context(), db, "", 2)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := base64.RawURLEncoding.DecodeString(page.Next)
	if err != nil {
		t.Fatal(err)
	}
	mine := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	signature := strings.Split(string(plain), ",")[0][1:]
	for name, cursor := range map[string]string{
		"not base64":           "!!!",
		"padding":              page.Next + "=",
		"not JSON":             mine("nonsense"),
		"no list":              mine(`{}`),
		"an empty list":        mine(`[]`),
		"cut off":              page.Next[:len(page.Next)-2],
		"something after it":   mine(string(plain) + "[]"),
		"no values":            mine("[" + signature + "]"),
		"too many values":      mine("[" + signature + `,null,"t",1,2]`),
		"a wrong kind":         mine("[" + signature + `,null,7,1]`),
		"a text for a number":  mine("[" + signature + `,null,"t","1"]`),
		"a fraction":           mine("[" + signature + `,null,"t",1.5]`),
		"too large":            mine("[" + signature + `,null,"t",99999999999999999999]`),
		"no time":              mine("[" + signature + `,"yesterday","t",1]`),
		"a time out of range":  mine("[" + signature + `,"0000-01-01T00:00:00Z","t",1]`),
		"NULL where none is":   mine("[" + signature + `,null,null,1]`),
		"NUL":                  mine("[" + signature + `,null,"\u0000",1]`),
		"a nested value":       mine("[" + signature + `,null,["t"],1]`),
		"very long":            strings.Repeat("A", 10_000),
		"of another order":     mine(`["x",null,"t",1]`),
		"a number for a clock": mine(`[7,null,"t",1]`),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := q.Page(t.Context(), db, cursor, 2)
			if e, ok := errors.AsType[*models.Error](err); !ok || e.Kind != models.WrongCursor {
				t.Errorf("%v", err)
			}
		})
	}
	for name, other := range map[string]models.Query[models.Post]{
		"other fields":      models.Posts.Sort("-published_at"),
		"another direction": models.Posts.Sort("published_at", "title"),
		"another sequence":  models.Posts.Sort("title", "-published_at"),
	} {
		if _, err := other.Page(t.Context(), db, page.Next, 2); err == nil || !strings.Contains(err.Error(), "another order") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, size := range []int{0, -1, models.MaxPage + 1} {
		if _, err := q.Page(t.Context(), db, "", size); err == nil {
			t.Errorf("a page of %d rows", size)
		}
	}
}
