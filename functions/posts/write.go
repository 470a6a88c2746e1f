package posts

import (
	"context"
	"net/http"
	"time"

	"github.com/tandem-api/tandem/shared/account"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/resource"
	"github.com/tandem-api/tandem/shared/workers"
)

// content is what post.json describes: all of a post that its author writes.
type content struct {
	Title       string     `json:"title"`
	Body        string     `json:"body"`
	PublishedAt *time.Time `json:"published_at"`
}

func (c controller) create(w http.ResponseWriter, r *http.Request, in content) error {
	db, err := database.Of(c.app)
	if err != nil {
		return err
	}
	post := models.Post{
		AuthorID: account.Current(r.Context()).ID,
		Title:    in.Title, Body: in.Body, PublishedAt: in.PublishedAt,
	}
	err = database.Transaction(r.Context(), db, func(tx *database.DB) error {
		if err := models.Posts.Create(r.Context(), tx, &post); err != nil {
			return err
		}
		return announce(r.Context(), tx, post)
	})
	if err != nil {
		return resource.Refused(err)
	}
	return resource.Created(w, r, models.Posts.Query, post, post.ID)
}

func (c controller) replace(w http.ResponseWriter, r *http.Request, in content) error {
	return c.update(w, r, models.Fields{"title": in.Title, "body": in.Body, "published_at": in.PublishedAt})
}

// patch changes what is in the body. null takes a value away: patch.json allows it where
// there may be none.
func (c controller) patch(w http.ResponseWriter, r *http.Request, in map[string]any) error {
	fields, err := models.Posts.FromJSON(in)
	if err != nil {
		return resource.Refused(err)
	}
	return c.update(w, r, fields)
}

func (c controller) update(w http.ResponseWriter, r *http.Request, fields models.Fields) error {
	post, err := c.change(r, func(tx *database.DB, post *models.Post) error {
		before := isPublished(*post)
		if err := models.Posts.Update(r.Context(), tx, post, fields); err != nil || before {
			return err
		}
		return announce(r.Context(), tx, *post)
	})
	if err != nil {
		return err
	}
	return resource.ShowRow(w, r, http.StatusOK, models.Posts.Query, post)
}

// isPublished says whether a post can be read by now; one with a date to come cannot.
func isPublished(p models.Post) bool {
	return p.PublishedAt != nil && !p.PublishedAt.After(time.Now())
}

// announce enqueues the announcement of a post that is published, in the transaction
// that wrote it. Whoever writes it is logged in, but need not be its author.
func announce(ctx context.Context, tx *database.DB, p models.Post) error {
	if !isPublished(p) {
		return nil
	}
	author, err := models.Users.FindOrFail(ctx, tx, p.AuthorID)
	if err != nil {
		return err
	}
	_, err = workers.EnqueueTx(ctx, tx, workers.AnnouncePost, workers.AnnounceArgs{PostID: p.ID, Title: p.Title, Author: author.Name})
	return err
}

func (c controller) remove(w http.ResponseWriter, r *http.Request) error {
	_, err := c.change(r, func(tx *database.DB, post *models.Post) error {
		return models.Posts.Delete(r.Context(), tx, post)
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// change does something to the post in the path, if it is one's own.
func (c controller) change(r *http.Request, do func(tx *database.DB, post *models.Post) error) (models.Post, error) {
	db, err := database.Of(c.app)
	if err != nil {
		return models.Post{}, err
	}
	own := func(p models.Post) error { return account.MayChange(r.Context(), p.AuthorID) }
	return resource.Change(r, db, models.Posts.Query, own, do)
}
