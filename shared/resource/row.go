package resource

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/validate"
)

// MergePatch lets a body be a JSON Merge Patch (RFC 7396), under its own media type or
// that of JSON.
var MergePatch = validate.MediaTypes("application/merge-patch+json", "application/json")

// id returns the id in the path. What is no id is one that is not there.
func id(r *http.Request) (int64, error) {
	n, err := strconv.ParseInt(function.Param(r, "id"), 10, 64)
	if err != nil || n < 1 {
		return 0, notFound()
	}
	return n, nil
}

// Get answers with the row whose id is in the path, and the relations that the query
// string asks for in include, of those that are allowed.
func Get[T any](w http.ResponseWriter, r *http.Request, db *database.DB, q models.Query[T], include []string) error {
	n, err := id(r)
	if err != nil {
		return err
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return httperror.New(http.StatusBadRequest, "the query string cannot be read").Because(err)
	}
	if q, err = q.Parse(values, models.Allow{Include: include}); err != nil {
		return BadQuery(err)
	}
	row, err := q.FindOrFail(r.Context(), db, n)
	if err != nil {
		return Refused(err)
	}
	return ShowRow(w, r, http.StatusOK, q, row)
}

// ShowRow answers with a row, and the relations that the query loads.
func ShowRow[T any](w http.ResponseWriter, r *http.Request, status int, q models.Query[T], row T) error {
	shown, err := q.ToMap(row, models.Serialize{Nested: q.Included()})
	if err != nil {
		return err
	}
	return Show(w, r, status, shown)
}

// Created answers with a new row, and where it is: below the path of the request.
func Created[T any](w http.ResponseWriter, r *http.Request, q models.Query[T], row T, id int64) error {
	w.Header().Set("Location", r.URL.EscapedPath()+"/"+strconv.FormatInt(id, 10))
	return ShowRow(w, r, http.StatusCreated, q, row)
}

// Change does something to the row whose id is in the path, in a transaction that keeps
// others from changing it, and returns the row as it is then. First, may says whether
// the one who is logged in may, and If-Match and If-None-Match whether the row is in a
// state that the client has asked for.
func Change[T any](r *http.Request, db *database.DB, q models.Query[T], may func(T) error, do func(tx *database.DB, row *T) error) (T, error) {
	var row T
	n, err := id(r)
	if err != nil {
		return row, err
	}
	err = database.Transaction(r.Context(), db, func(tx *database.DB) error {
		var err error
		if row, err = q.ForUpdate().FindOrFail(r.Context(), tx, n); err != nil {
			return err
		}
		if err := may(row); err != nil {
			return err
		}
		shown, err := q.ToMap(row, models.Serialize{})
		if err != nil {
			return err
		}
		if err := unchanged(r, shown); err != nil {
			return err
		}
		return do(tx, &row)
	})
	return row, Refused(err)
}
