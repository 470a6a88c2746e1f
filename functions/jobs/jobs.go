// Package jobs lets clients ask for jobs and follow them:
//
//	POST   /jobs       asks for a job of a public kind; needs a login
//	GET    /jobs/{id}  tells what became of it, to whoever knows its id
//	DELETE /jobs/{id}  cancels it; needs the login of who asked for it
//	GET    /jobs       lists the jobs; needs a login
package jobs

import (
	"errors"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/inspect"
	"github.com/tandem-api/tandem/shared/validate"
	"github.com/tandem-api/tandem/shared/workers"
)

// Function is the jobs controller.
var Function = function.Function{Name: "jobs", Routes: routes}

func routes(app *function.App, r chi.Router) error {
	login, err := auth.Required(app)
	if err != nil {
		return err
	}
	kinds, err := publicKinds(workers.All())
	if err != nil {
		return err
	}
	text, err := requestSchema(kinds)
	if err != nil {
		return err
	}
	schema, err := validate.Compile(text)
	if err != nil {
		return err
	}
	c := controller{app: app, kinds: kinds}
	r.With(login).Post("/jobs", app.Handle(validate.JSON(schema, c.enqueue)))
	r.With(login).Get("/jobs", app.Handle(c.list))
	r.Get("/jobs/{id}", app.Handle(c.show))
	r.With(login).Delete("/jobs/{id}", app.Handle(c.cancel))
	return nil
}

type controller struct {
	app   *function.App
	kinds map[string]queue.Definition // the public ones
}

func (c controller) show(w http.ResponseWriter, r *http.Request) error {
	_, job, err := c.find(r)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	job = c.public(job)
	job.By = ""
	return function.JSON(w, http.StatusOK, job)
}

func (c controller) cancel(w http.ResponseWriter, r *http.Request) error {
	i, job, err := c.find(r)
	if err != nil {
		return err
	}
	if _, public := c.kinds[job.Kind]; !public || job.By != auth.Owner(r.Context()) {
		return httperror.New(http.StatusForbidden, "only who asked for a job can cancel it")
	}
	active, err := i.Cancel(r.Context(), job.ID)
	switch {
	case errors.Is(err, inspect.ErrNotFound): // it was done in between
	case err != nil:
		return err
	case active:
		w.WriteHeader(http.StatusAccepted) // it has been told to stop
		return nil
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (c controller) find(r *http.Request) (*inspect.Inspector, inspect.Job, error) {
	i, err := inspect.Of(c.app)
	if err != nil {
		return nil, inspect.Job{}, err
	}
	job, err := i.Find(r.Context(), function.Param(r, "id"))
	if errors.Is(err, inspect.ErrNotFound) {
		return nil, inspect.Job{}, httperror.New(http.StatusNotFound, "there is no such job, or none any more")
	}
	return i, job, err
}

// public leaves out of a job what is not for clients: all that a private kind is
// about.
func (c controller) public(j inspect.Job) inspect.Job {
	if _, public := c.kinds[j.Kind]; !public {
		j.Args, j.Result, j.Error = nil, nil, ""
	}
	return j
}
