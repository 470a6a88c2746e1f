// Package posts reads and writes posts, for who is logged in:
//
//	GET    /posts       lists them: filters, sort, include, cursor, limit
//	POST   /posts       writes one; Idempotency-Key lets it be repeated
//	GET    /posts/{id}  one of them: include; If-None-Match
//	PUT    /posts/{id}  replaces one of one's own; If-Match
//	PATCH  /posts/{id}  changes parts of it (JSON Merge Patch, RFC 7396); If-Match
//	DELETE /posts/{id}  deletes it; If-Match
//
// An admin may change the posts of all.
package posts

import (
	_ "embed"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/account"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/idempotent"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/resource"
	"github.com/tandem-api/tandem/shared/validate"
)

// Function is the posts controller.
var Function = function.Function{Name: "posts", Routes: routes}

//go:embed post.json
var postJSON []byte

//go:embed patch.json
var patchJSON []byte

// allow is what a list may be asked for.
var allow = models.Allow{
	Filter: []string{
		"id", "title", "body", "author_id", "published_at", "created_at", "updated_at",
		"author___name", "author___role", "comments___body", "comments___author___name", "comments__isnull",
	},
	Sort:    []string{"id", "title", "published_at", "created_at", "updated_at", "author___name"},
	Include: []string{"author", "comments", "comments.author"},
}

func routes(app *function.App, r chi.Router) error {
	login, err := account.Required(app)
	if err != nil {
		return err
	}
	post, err := validate.Compile(postJSON)
	if err != nil {
		return err
	}
	patch, err := validate.Compile(patchJSON)
	if err != nil {
		return err
	}
	c := controller{app: app}
	r.Use(login)
	r.Get("/posts", app.Handle(c.list))
	r.With(idempotent.Once(app)).Post("/posts", app.Handle(validate.JSON(post, c.create)))
	r.Get("/posts/{id}", app.Handle(c.show))
	r.Put("/posts/{id}", app.Handle(validate.JSON(post, c.replace)))
	r.Patch("/posts/{id}", app.Handle(validate.JSON(patch, c.patch, resource.MergePatch)))
	r.Delete("/posts/{id}", app.Handle(c.remove))
	return nil
}

type controller struct{ app *function.App }

func (c controller) list(w http.ResponseWriter, r *http.Request) error {
	db, err := database.Of(c.app)
	if err != nil {
		return err
	}
	return resource.List(w, r, db, models.Posts.Query, allow)
}

func (c controller) show(w http.ResponseWriter, r *http.Request) error {
	db, err := database.Of(c.app)
	if err != nil {
		return err
	}
	return resource.Get(w, r, db, models.Posts.Query, allow.Include)
}
