// Package seed fills a database with example rows, and shows the query helpers at
// work.
package seed

import (
	"context"
	"fmt"
	"io"
	"time"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/models"
)

// Run creates or updates the example rows in one transaction, and then writes to w what
// the helpers find, each with the SQL that it ran. Running it again makes no second row.
func Run(ctx context.Context, db *gorm.DB, w io.Writer) error {
	err := database.Transaction(ctx, db, func(tx *gorm.DB) error { return fill(ctx, tx) })
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	return show(ctx, db, w)
}

// people wrote what stands below their names.
var people = []struct {
	name  string
	role  models.Role
	posts []models.Post
}{
	{"Asdf", models.RoleAdmin, []models.Post{
		{Title: "Go at last", Body: "One binary, no surprises.", PublishedAt: day(1)},
		{Title: "Going serverless", Body: "The same handler, twice.", PublishedAt: day(9)},
		{Title: "Notes", Body: "Not for others yet."},
	}},
	{"Grace", models.RoleUser, []models.Post{
		{Title: "On compilers", Body: "Let the machine do it.", PublishedAt: day(4)},
	}},
	{"Linus", models.RoleUser, nil},
}

// comments stand below the post with that title.
var comments = []struct{ post, author, body string }{
	{"Go at last", "Grace", "Welcome!"},
	{"Go at last", "Linus", "What took you so long?"},
	{"On compilers", "Asdf", "It does."},
}

func day(n int) *time.Time {
	t := time.Date(2026, 11, n, 9, 0, 0, 0, time.UTC)
	return &t
}

func fill(ctx context.Context, tx *gorm.DB) error {
	for _, p := range people {
		user := models.User{Name: p.name, Role: p.role}
		if err := put(ctx, tx, models.Users, &user, models.Users.Where("name", p.name), models.Fields{"role": p.role}); err != nil {
			return err
		}
		for _, post := range p.posts {
			post.AuthorID = user.ID
			same := models.Posts.Where("title", post.Title).Where("author_id", user.ID)
			if err := put(ctx, tx, models.Posts, &post, same, models.Fields{"body": post.Body, "published_at": post.PublishedAt}); err != nil {
				return err
			}
		}
	}
	for _, c := range comments {
		post, err := models.Posts.Where("title", c.post).FirstOrFail(ctx, tx)
		if err != nil {
			return err
		}
		author, err := models.Users.Where("name", c.author).FirstOrFail(ctx, tx)
		if err != nil {
			return err
		}
		comment := models.Comment{PostID: post.ID, AuthorID: author.ID, Body: c.body}
		same := models.Comments.Where("post_id", post.ID).Where("author_id", author.ID)
		if err := put(ctx, tx, models.Comments, &comment, same, models.Fields{"body": c.body}); err != nil {
			return err
		}
	}
	return nil
}

// put creates the row, or updates the one that is there and makes it *row.
func put[T any](ctx context.Context, tx *gorm.DB, m models.Model[T], row *T, same models.Query[T], fields models.Fields) error {
	old, found, err := same.First(ctx, tx)
	if err != nil {
		return err
	}
	if !found {
		return m.Create(ctx, tx, row)
	}
	*row = old
	return m.Update(ctx, tx, row, fields)
}
