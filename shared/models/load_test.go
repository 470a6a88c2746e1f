package models_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/models"
)

// counted returns db, and the number of statements that it has run.
func counted(db *gorm.DB) (*gorm.DB, *int) {
	n := 0
	return database.Told(db, func(string) { n++ }), &n
}

func TestLoadingTakesOneStatementARelation(t *testing.T) {
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		createThings(t, db)
		fill(t, db)
		tell, n := counted(db)

		users, err := models.Users.With("posts.comments.author", "posts", "comments").All(t.Context(), tell)
		if err != nil {
			t.Fatal(err)
		}
		if *n != 5 { // users, posts, comments, their authors, and the users' own comments
			t.Errorf("%d statements", *n)
		}
		var told strings.Builder
		for _, u := range users {
			for _, p := range u.Posts {
				fmt.Fprintf(&told, "%s: %s;", u.Name, p.Title)
				for _, c := range p.Comments {
					fmt.Fprintf(&told, " %s says %s;", c.Author.Name, c.Body)
				}
			}
			if u.Posts == nil || u.Comments == nil {
				t.Errorf("%v has posts or comments that are nil: not loaded", u)
			}
		}
		const want = "Anna: Go at last; Bob says first; anna says yes;Anna: Going on; Bob says no;anna: Rust;Bob: go home; Anna says yes;bob%: Draft;bob%: Go at last; bob% says late;"
		if told.String() != want {
			t.Errorf("loaded %s\n  want %s", told.String(), want)
		}

		*n = 0
		joined, err := models.Comments.WithJoined("post.author", "author").Where("post___author___name", "Anna").Sort("-post___title").All(t.Context(), tell)
		if err != nil {
			t.Fatal(err)
		}
		if *n != 1 {
			t.Errorf("%d statements for joined relations", *n)
		}
		for _, c := range joined {
			if c.Post == nil || c.Post.ID != c.PostID || c.Post.Author == nil || c.Post.Author.Name != "Anna" || c.Author == nil || c.Author.ID != c.AuthorID {
				t.Errorf("%v: post %v, author %v", c, c.Post, c.Author)
			}
		}
		if len(joined) != 3 || joined[0].Post.Title != "Going on" {
			t.Errorf("%v", joined)
		}

		missing, err := things.WithJoined("user").All(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		second, err := things.With("user").All(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		for i := range missing {
			a, b := missing[i].User, second[i].User
			if there := missing[i].UserID != nil; (a != nil) != there || (b != nil) != there || there && (a.ID != *missing[i].UserID || b.ID != a.ID) {
				t.Errorf("thing %d: joined %v, loaded %v", missing[i].ID, a, b)
			}
		}
	})
}

func TestLoadingManyRowsStaysWithinTheDatabasesLimits(t *testing.T) {
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		many := 33_000 // more than it takes in one statement
		if database.Dialect(db) == database.Postgres {
			many = 66_000
		}
		plain(t, db, fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO users (created_at, updated_at, name) SELECT '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', CAST(i AS text) FROM n`, many))
		plain(t, db, `INSERT INTO posts (created_at, updated_at, author_id, title, body) SELECT created_at, updated_at, id, name, '' FROM users`)
		posts, err := models.Posts.With("author").All(t.Context(), db)
		if err != nil || len(posts) != many {
			t.Fatalf("%d posts, %v", len(posts), err)
		}
		for _, p := range posts {
			if p.Author == nil || p.Author.Name != p.Title {
				t.Fatalf("%v by %v", p, p.Author)
			}
		}
		destroyed := make([]int64, many)
		for i, p := range posts {
			destroyed[i] = p.ID
		}
		if n, err := models.Posts.Destroy(t.Context(), db, destroyed...); n != int64(many) || err != nil {
			t.Errorf("%d destroyed, %v", n, err)
		}
	})
}

func TestWrongRelationsToLoad(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"unknown":              {models.Posts.With("writer").Check(), `Post has no relation "writer" (allowed: author, comments)`},
		"unknown, nested":      {models.Posts.With("comments.writer").Check(), `comments.writer: Comment has no relation "writer"`},
		"a field":              {models.Posts.With("title").Check(), `no relation "title"`},
		"empty":                {models.Posts.With("").Check(), `no relation ""`},
		"joined, unknown":      {models.Posts.WithJoined("writer").Check(), `no relation "writer"`},
		"joined, has-many":     {models.Posts.WithJoined("comments").Check(), "use With"},
		"joined, has-many on":  {models.Comments.WithJoined("post.comments").Check(), "use With"},
		"too long":             {models.Posts.With(strings.Repeat("author.posts.", 9) + "author").Check(), "no relation"},
		"another model's name": {models.Users.With("Posts").Check(), `no relation "Posts"`},
	} {
		e, ok := errors.AsType[*models.Error](test.err)
		if !ok || e.Kind != models.UnknownRelation || !strings.Contains(e.Error(), test.want) {
			t.Errorf("%s: %v", name, test.err)
		}
	}
}

func TestToMapShowsWhatIsAskedForAndNoSecret(t *testing.T) {
	db := apptest.OpenDatabase(t, apptest.DatabaseURL(t))
	ctx := t.Context()
	u := models.User{Name: "Ada", PasswordHash: "sesame"}
	if err := models.Users.Create(ctx, db, &u); err != nil {
		t.Fatal(err)
	}
	p := models.Post{AuthorID: u.ID, Title: "One", Body: "long"}
	if err := models.Posts.Create(ctx, db, &p); err != nil {
		t.Fatal(err)
	}
	if err := models.Comments.Create(ctx, db, &models.Comment{PostID: p.ID, AuthorID: u.ID, Body: "fine"}); err != nil {
		t.Fatal(err)
	}
	p, err := models.Posts.With("author", "comments.author").FindOrFail(ctx, db, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	times := []string{"created_at", "updated_at", "author.created_at", "author.updated_at", "comments.created_at", "comments.updated_at", "comments.author.created_at", "comments.author.updated_at"}
	for name, test := range map[string]struct {
		how  models.Serialize
		want string
	}{
		"plain": {models.Serialize{Exclude: times}, `{"author_id":1,"body":"long","id":1,"published_at":null,"title":"One"}`},
		"nested": {models.Serialize{Nested: []string{"author"}, Exclude: append(times, "body", "author.id")},
			`{"author":{"name":"Ada","role":"user"},"author_id":1,"id":1,"published_at":null,"title":"One"}`},
		"deep": {models.Serialize{Nested: []string{"comments.author"}, Exclude: append(times, "body", "title", "comments.post_id")},
			`{"author_id":1,"comments":[{"author":{"id":1,"name":"Ada","role":"user"},"author_id":1,"body":"fine","id":1}],"id":1,"published_at":null}`},
	} {
		m, err := models.Posts.ToMap(p, test.how)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, _ := json.Marshal(m); string(got) != test.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, test.want)
		}
	}
	for _, how := range []models.Serialize{
		{Nested: []string{"writer"}}, {Exclude: []string{"titel"}}, {Exclude: []string{"writer.name"}}, {Exclude: []string{"author.nam"}},
	} {
		if _, err := models.Posts.ToMap(p, how); err == nil {
			t.Errorf("%+v is no error", how)
		}
	}
	whole, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(whole), fmt.Sprint(p.Author), fmt.Sprintf("%+v", *p.Author), fmt.Sprintf("%v", []any{*p.Author})} {
		if strings.Contains(text, "sesame") || strings.Contains(text, "password") {
			t.Errorf("a password in %s", text)
		}
	}
}
