package models_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/models"
)

// writing runs a test with a database that has one user, Ada, with one post.
func writing(t *testing.T, test func(t *testing.T, db *gorm.DB, ada models.User, post models.Post)) {
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		ada := models.User{Name: "Ada"}
		if err := models.Users.Create(t.Context(), db, &ada); err != nil {
			t.Fatal(err)
		}
		post := models.Post{AuthorID: ada.ID, Title: "One", PublishedAt: new(utc(2026, 1, 2, 3, 4, 5, 6))}
		if err := models.Posts.Create(t.Context(), db, &post); err != nil {
			t.Fatal(err)
		}
		test(t, db, ada, post)
	})
}

func stored[T any](t *testing.T, db *gorm.DB, m models.Model[T], id int64) T {
	t.Helper()
	row, err := m.FindOrFail(t.Context(), db, id)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func TestCreateGivesIDTimesAndDefaults(t *testing.T) {
	writing(t, func(t *testing.T, db *gorm.DB, ada models.User, post models.Post) {
		if ada.ID == 0 || ada.Role != models.RoleUser || time.Since(ada.CreatedAt) > time.Minute || !ada.CreatedAt.Equal(ada.UpdatedAt) {
			t.Errorf("%+v", ada)
		}
		if got := stored(t, db, models.Users, ada.ID); !got.CreatedAt.Equal(ada.CreatedAt) || got.Name != "Ada" || got.Role != models.RoleUser {
			t.Errorf("stored %+v, returned %+v", got, ada)
		}
		if got := stored(t, db, models.Posts, post.ID); !got.PublishedAt.Equal(*post.PublishedAt) {
			t.Errorf("stored %v, returned %v", got.PublishedAt, post.PublishedAt)
		}
		local := models.Post{AuthorID: ada.ID, PublishedAt: new(time.Date(2026, 3, 1, 8, 0, 0, 123456789, tokyo))}
		if err := models.Posts.Create(t.Context(), db, &local); err != nil {
			t.Fatal(err)
		}
		if want := utc(2026, 2, 28, 23, 0, 0, 123456); *local.PublishedAt != want || !stored(t, db, models.Posts, local.ID).PublishedAt.Equal(want) {
			t.Errorf("a time of another zone became %v", local.PublishedAt)
		}
		nested := models.Post{AuthorID: ada.ID, Author: &models.User{Name: "new"}, Comments: []models.Comment{{Body: "x"}}}
		if err := models.Posts.Create(t.Context(), db, &nested); err != nil {
			t.Fatal(err)
		}
		if n, _ := models.Users.Count(t.Context(), db); n != 1 {
			t.Error("a relation was stored with the row")
		}
	})
}

func TestRefusedWritesLeaveRowAndDatabaseAsTheyWere(t *testing.T) {
	writing(t, func(t *testing.T, db *gorm.DB, ada models.User, post models.Post) {
		other := models.User{Name: "Bob"}
		if err := models.Users.Create(t.Context(), db, &other); err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		taken := models.User{Name: "Ada"}
		orphan := models.Post{AuthorID: 99, Title: "x"}
		given := models.User{Base: models.Base{ID: 7}, Name: "x"}
		gone := models.User{Base: models.Base{ID: 99}, Name: "x"}
		odd := models.User{Name: "nul\x00"}
		role := models.User{Name: "x", Role: "king"}
		long := models.Post{AuthorID: ada.ID, PublishedAt: new(time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC))}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		var conflict *models.ConflictError
		var reference *models.ReferenceError
		var wrong *models.Error
		var constraint *database.ConstraintError
		for name, test := range map[string]struct {
			row  any
			do   func() error
			want any // what the error is: a target for errors.As, or an error for errors.Is
		}{
			"create, taken":          {&taken, func() error { return models.Users.Create(ctx, db, &taken) }, &conflict},
			"create, no author":      {&orphan, func() error { return models.Posts.Create(ctx, db, &orphan) }, &reference},
			"create, an id":          {&given, func() error { return models.Users.Create(ctx, db, &given) }, &wrong},
			"create, NUL":            {&odd, func() error { return models.Users.Create(ctx, db, &odd) }, &wrong},
			"create, unknown role":   {&role, func() error { return models.Users.Create(ctx, db, &role) }, &constraint},
			"create, year 10000":     {&long, func() error { return models.Posts.Create(ctx, db, &long) }, &wrong},
			"create, context ended":  {&role, func() error { return models.Users.Create(ended, db, &role) }, context.Canceled},
			"save, not there":        {&gone, func() error { return models.Users.Save(ctx, db, &gone) }, models.ErrNotFound},
			"save, NUL":              {&odd, func() error { odd.ID = ada.ID; defer func() { odd.ID = 0 }(); return models.Users.Save(ctx, db, &odd) }, &wrong},
			"update, taken":          {&other, func() error { return models.Users.Update(ctx, db, &other, models.Fields{"name": "Ada"}) }, &conflict},
			"update, unknown field":  {&ada, func() error { return models.Users.Update(ctx, db, &ada, models.Fields{"name": "x", "nam": "y"}) }, &wrong},
			"update, wrong value":    {&ada, func() error { return models.Users.Update(ctx, db, &ada, models.Fields{"name": 7}) }, &wrong},
			"update, the id":         {&ada, func() error { return models.Users.Update(ctx, db, &ada, models.Fields{"id": 9}) }, &wrong},
			"update, the times":      {&ada, func() error { return models.Users.Update(ctx, db, &ada, models.Fields{"created_at": time.Now()}) }, &wrong},
			"update, nil for a text": {&post, func() error { return models.Posts.Update(ctx, db, &post, models.Fields{"title": nil}) }, &wrong},
			"update, half of it fails": {&post, func() error {
				return models.Posts.Update(ctx, db, &post, models.Fields{"title": "x", "published_at": nil, "author_id": int64(99)})
			}, &reference},
			"update, not there":     {&gone, func() error { return models.Users.Update(ctx, db, &gone, models.Fields{"name": "y"}) }, models.ErrNotFound},
			"update, context ended": {&ada, func() error { return models.Users.Update(ended, db, &ada, models.Fields{"name": "y"}) }, context.Canceled},
			"delete, not there":     {&gone, func() error { return models.Users.Delete(ctx, db, &gone) }, models.ErrNotFound},
		} {
			t.Run(name, func(t *testing.T) {
				before := deepCopy(test.row)
				err := test.do()
				if target, ok := test.want.(error); ok {
					if !errors.Is(err, target) {
						t.Errorf("%v", err)
					}
				} else if err == nil || !errors.As(err, test.want) {
					t.Errorf("%v", err)
				}
				if !reflect.DeepEqual(before, deepCopy(test.row)) {
					t.Errorf("the row became %+v", test.row)
				}
			})
		}
		if conflict == nil || conflict.Model != "User" || len(conflict.Fields) != 1 || conflict.Fields[0] != "name" {
			t.Errorf("the conflict is %+v", conflict)
		}
		if got := stored(t, db, models.Users, other.ID); got.Name != "Bob" {
			t.Errorf("%+v", got)
		}
		if got := stored(t, db, models.Posts, post.ID); got.Title != "One" || got.PublishedAt == nil {
			t.Errorf("%+v", got)
		}
		if n, _ := models.Users.Count(ctx, db); n != 2 {
			t.Errorf("%d users", n)
		}
	})
}

// deepCopy returns what a row holds, through its pointers.
func deepCopy(row any) string {
	return fmt.Sprintf("%#v %v", row, reflect.ValueOf(row).Elem().Interface()) + times(row)
}

func times(row any) string {
	if p, ok := row.(*models.Post); ok && p.PublishedAt != nil {
		return p.PublishedAt.String()
	}
	return ""
}

func TestFillIsAllOrNothing(t *testing.T) {
	at := utc(2026, 1, 1, 0, 0, 0, 0)
	post := models.Post{Title: "One", PublishedAt: &at}
	if err := models.Posts.Fill(&post, models.Fields{"title": "Two", "published_at": utc(2027, 1, 1, 0, 0, 0, 0), "tilte": "x"}); err == nil {
		t.Error("an unknown field is no error")
	}
	if post.Title != "One" || !at.Equal(utc(2026, 1, 1, 0, 0, 0, 0)) {
		t.Errorf("half filled: %+v, %v", post, at)
	}
	if err := models.Posts.Fill(&post, models.Fields{"title": "Two", "author_id": 7, "published_at": utc(2027, 1, 1, 0, 0, 0, 0)}); err != nil {
		t.Error(err)
	}
	if post.Title != "Two" || post.AuthorID != 7 || post.PublishedAt.Year() != 2027 || at.Year() != 2026 {
		t.Errorf("%+v, and the time that was there is %v", post, at)
	}
	if err := models.Posts.Fill(&post, models.Fields{"published_at": nil}); err != nil || post.PublishedAt != nil {
		t.Errorf("%+v, %v", post, err)
	}
	user := models.User{}
	if err := models.Users.Fill(&user, models.Fields{"role": models.RoleAdmin, "password_hash": "x"}); err != nil || user.Role != models.RoleAdmin {
		t.Errorf("%+v, %v", user, err)
	}
	err := models.Users.Fill(&user, models.Fields{"password": "x"})
	if err == nil || !strings.Contains(err.Error(), `User has no field "password" to set (allowed: name, role)`) {
		t.Errorf("%v", err)
	}
}

func TestSaveUpdateDeleteDestroy(t *testing.T) {
	writing(t, func(t *testing.T, db *gorm.DB, ada models.User, post models.Post) {
		ctx := t.Context()
		created := post.CreatedAt
		post.Title, post.PublishedAt, post.CreatedAt = "Two", nil, time.Time{}
		if err := models.Posts.Save(ctx, db, &post); err != nil {
			t.Fatal(err)
		}
		got := stored(t, db, models.Posts, post.ID)
		if got.Title != "Two" || got.PublishedAt != nil || !got.CreatedAt.Equal(created) || !got.UpdatedAt.Equal(post.UpdatedAt) || !got.UpdatedAt.After(created) {
			t.Errorf("saved %+v, stored %+v", post, got)
		}
		fresh := models.Post{AuthorID: ada.ID, Title: "new"}
		if err := models.Posts.Save(ctx, db, &fresh); err != nil || fresh.ID == 0 {
			t.Errorf("%+v, %v", fresh, err)
		}

		stale := post
		if err := models.Posts.Update(ctx, db, &post, models.Fields{"title": "Three"}); err != nil {
			t.Fatal(err)
		}
		stale.Title = "not written"
		if err := models.Posts.Update(ctx, db, &stale, models.Fields{"body": "text"}); err != nil {
			t.Fatal(err)
		}
		if got := stored(t, db, models.Posts, post.ID); got.Title != "Three" || got.Body != "text" {
			t.Errorf("an update wrote other fields too: %+v", got)
		}
		tell, n := counted(db)
		if err := models.Posts.Update(ctx, tell, &post, nil); err != nil || *n != 0 {
			t.Errorf("an update of nothing: %d statements, %v", *n, err)
		}

		if n, err := models.Posts.Destroy(ctx, db); n != 0 || err != nil {
			t.Errorf("destroyed %d of nothing, %v", n, err)
		}
		if n, err := models.Posts.Destroy(ctx, db, fresh.ID, 98, 99); n != 1 || err != nil {
			t.Errorf("destroyed %d, %v", n, err)
		}
		if err := models.Posts.Delete(ctx, db, &post); err != nil {
			t.Error(err)
		}
		if _, found, err := models.Posts.Find(ctx, db, post.ID); found || err != nil {
			t.Errorf("found after delete: %v, %v", found, err)
		}
		if _, err := models.Posts.FindOrFail(ctx, db, post.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%v", err)
		}
		if _, err := models.Posts.Where("title", "x").FirstOrFail(ctx, db); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%v", err)
		}
	})
}

func TestDeletingAUserTakesWhatItWroteAlong(t *testing.T) {
	writing(t, func(t *testing.T, db *gorm.DB, ada models.User, post models.Post) {
		if err := models.Comments.Create(t.Context(), db, &models.Comment{PostID: post.ID, AuthorID: ada.ID, Body: "x"}); err != nil {
			t.Fatal(err)
		}
		if err := models.Users.Delete(t.Context(), db, &ada); err != nil {
			t.Fatal(err)
		}
		p, err1 := models.Posts.Count(t.Context(), db)
		c, err2 := models.Comments.Count(t.Context(), db)
		if p != 0 || c != 0 || err1 != nil || err2 != nil {
			t.Errorf("%d posts and %d comments stayed, %v, %v", p, c, err1, err2)
		}
	})
}

func TestOneStatementAWrite(t *testing.T) {
	writing(t, func(t *testing.T, db *gorm.DB, ada models.User, post models.Post) {
		tell, n := counted(db)
		for name, do := range map[string]func() error{
			"create": func() error { return models.Posts.Create(t.Context(), tell, &models.Post{AuthorID: ada.ID}) },
			"save":   func() error { return models.Posts.Save(t.Context(), tell, &post) },
			"update": func() error {
				return models.Posts.Update(t.Context(), tell, &post, models.Fields{"title": "x", "body": "y"})
			},
			"destroy": func() error { _, err := models.Posts.Destroy(t.Context(), tell, 7, 8, 9); return err },
		} {
			*n = 0
			if err := do(); err != nil || *n != 1 {
				t.Errorf("%s: %d statements, %v", name, *n, err)
			}
		}
	})
}

func TestForUpdateHoldsTheRow(t *testing.T) {
	writing(t, func(t *testing.T, db *gorm.DB, _ models.User, post models.Post) {
		const rounds = 20
		done := make(chan error, rounds)
		for range rounds {
			go func() {
				done <- database.Transaction(t.Context(), db, func(tx *gorm.DB) error {
					p, err := models.Posts.ForUpdate().WithJoined("author").FindOrFail(t.Context(), tx, post.ID)
					if err != nil {
						return err
					}
					return models.Posts.Update(t.Context(), tx, &p, models.Fields{"body": p.Body + "."})
				})
			}()
		}
		for range rounds {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if got := stored(t, db, models.Posts, post.ID); len(got.Body) != rounds {
			t.Errorf("%d of %d updates are there", len(got.Body), rounds)
		}
	})
}

func TestFromJSON(t *testing.T) {
	fields, err := things.FromJSON(map[string]any{
		"text": "x", "note": nil, "whole": 7.0, "real": 1.5, "flag": true, "at": "2026-03-01T08:00:00+09:00", "maybe": nil, "plus": json.Number("9"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := models.Fields{
		"text": "x", "note": nil, "whole": int64(7), "real": 1.5, "flag": true, "at": utc(2026, 2, 28, 23, 0, 0, 0), "maybe": nil, "plus": int64(9),
	}
	if !reflect.DeepEqual(fields, want) {
		t.Errorf("%v", fields)
	}
	if err := things.Fill(&thing{}, fields); err != nil {
		t.Error(err)
	}
	for _, wrong := range []map[string]any{
		{"text": nil}, {"text": 7.0}, {"whole": 7.5}, {"whole": "7"}, {"whole": 1e300}, {"small": 128.0}, {"plus": -1.0}, {"flag": "true"},
		{"at": "yesterday"}, {"at": 7.0}, {"id": 7.0}, {"created_at": "2026-03-01T08:00:00Z"}, {"txet": "x"}, {"text": []any{}}, {"note": map[string]any{}},
	} {
		_, err := things.FromJSON(wrong)
		if _, ok := errors.AsType[*models.Error](err); !ok {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}
