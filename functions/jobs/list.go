package jobs

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/inspect"
)

// How many jobs a page has.
const (
	usualLimit = 20
	mostLimit  = 100
)

func (c controller) list(w http.ResponseWriter, r *http.Request) error {
	f, err := filter(r)
	if err != nil {
		return httperror.New(http.StatusBadRequest, "%s", err)
	}
	i, err := inspect.Of(c.app)
	if err != nil {
		return err
	}
	page, err := i.List(r.Context(), f)
	if errors.Is(err, inspect.ErrCursor) {
		return httperror.New(http.StatusBadRequest, "cursor: %s", err)
	}
	if err != nil {
		return err
	}
	for n, job := range page.Jobs {
		if job = c.public(job); job.By == auth.Owner(r.Context()) {
			job.By = auth.User(r.Context()) // a name, for people
		} else {
			if job.By != "" {
				job.ID = "" // whoever knows it is told the rest
			}
			job.Args, job.Result, job.Error, job.By = nil, nil, "", ""
		}
		page.Jobs[n] = job
	}
	w.Header().Set("Cache-Control", "no-store")
	return function.JSON(w, http.StatusOK, page)
}

// filter reads the query. What is empty counts as left out.
func filter(r *http.Request) (inspect.Filter, error) {
	q := r.URL.Query()
	f := inspect.Filter{Queue: q.Get("queue"), State: q.Get("state"), Cursor: q.Get("cursor"), Limit: usualLimit}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostLimit {
			return f, fmt.Errorf("limit: it must be a whole number from 1 to %d", mostLimit)
		}
		f.Limit = n
	}
	return f, errors.Join(
		oneOf("queue", f.Queue, slices.Sorted(maps.Keys(queue.Weights()))),
		oneOf("state", f.State, inspect.States()))
}

func oneOf(name, value string, known []string) error {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	return fmt.Errorf("%s: it must be one of %s", name, strings.Join(known, ", "))
}
