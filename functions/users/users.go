// Package users reads and writes the users, for who is logged in:
//
//	GET    /users       lists them: filters, sort, cursor, limit
//	POST   /users       adds one; for admins; Idempotency-Key lets it be repeated
//	GET    /users/{id}  one of them; If-None-Match
//	PUT    /users/{id}  replaces oneself; If-Match
//	PATCH  /users/{id}  changes parts of oneself (JSON Merge Patch, RFC 7396); If-Match
//	DELETE /users/{id}  deletes oneself, with all that one wrote; If-Match
//
// An admin may change all, and alone gives roles.
package users

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

// Function is the users controller.
var Function = function.Function{Name: "users", Routes: routes}

//go:embed create.json
var createJSON []byte

//go:embed replace.json
var replaceJSON []byte

//go:embed patch.json
var patchJSON []byte

// allow is what a list may be asked for.
var allow = models.Allow{
	Filter: []string{
		"id", "name", "role", "created_at", "updated_at",
		"posts___title", "posts___published_at", "posts__isnull",
	},
	Sort: []string{"id", "name", "created_at", "updated_at"},
}

func routes(app *function.App, r chi.Router) error {
	login, err := account.Required(app)
	if err != nil {
		return err
	}
	var schemas [3]*validate.Schema
	for i, text := range [][]byte{createJSON, replaceJSON, patchJSON} {
		if schemas[i], err = validate.Compile(text); err != nil {
			return err
		}
	}
	c := controller{app: app}
	r.Use(login)
	r.Get("/users", app.Handle(c.list))
	r.With(idempotent.Once(app)).Post("/users", app.Handle(validate.JSON(schemas[0], c.create)))
	r.Get("/users/{id}", app.Handle(c.show))
	r.Put("/users/{id}", app.Handle(validate.JSON(schemas[1], c.replace)))
	r.Patch("/users/{id}", app.Handle(validate.JSON(schemas[2], c.patch, resource.MergePatch)))
	r.Delete("/users/{id}", app.Handle(c.remove))
	return nil
}

type controller struct{ app *function.App }

func (c controller) list(w http.ResponseWriter, r *http.Request) error {
	db, err := database.Of(c.app)
	if err != nil {
		return err
	}
	return resource.List(w, r, db, models.Users.Query, allow)
}

func (c controller) show(w http.ResponseWriter, r *http.Request) error {
	db, err := database.Of(c.app)
	if err != nil {
		return err
	}
	return resource.Get(w, r, db, models.Users.Query, allow.Include)
}
