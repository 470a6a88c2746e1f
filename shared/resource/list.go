// Package resource has what the controllers of tables have in common: lists with
// filters and pages, errors of the models as answers, and requests that hold only for
// what the client has seen.
package resource

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/models"
)

// The parameters of a page, beside those that models.Query.Parse reads.
const (
	cursorParameter = "cursor"
	limitParameter  = "limit"
)

// Sizes of a page.
const (
	DefaultLimit = 20
	MaxLimit     = 100
)

// list is the answer of a list.
type list struct {
	Items []map[string]any `json:"items"`
	Next  string           `json:"next,omitempty"` // the cursor of the page that follows
}

// List answers with a page of the query's rows that the query string asks for, by the
// allow-list: filters, sort and include as models.Query.Parse takes them, cursor and
// limit. What is included is shown. An unfit parameter is a 400 that names it. The next
// page is a cursor in the answer, and a link in its head (RFC 8288).
func List[T any](w http.ResponseWriter, r *http.Request, db *database.DB, q models.Query[T], allow models.Allow) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return httperror.New(http.StatusBadRequest, "the query string cannot be read").Because(err)
	}
	for _, name := range []string{cursorParameter, limitParameter} {
		if len(values[name]) > 1 {
			return httperror.New(http.StatusBadRequest, "%s: is given more than once", name)
		}
	}
	size, err := limit(values)
	if err != nil {
		return err
	}
	allow.Other = append(allow.Other, cursorParameter, limitParameter)
	if q, err = q.Parse(values, allow); err != nil {
		return BadQuery(err)
	}
	page, err := q.Page(r.Context(), db, values.Get(cursorParameter), size)
	if err != nil {
		return BadQuery(err)
	}
	items, err := q.ToMaps(page.Items, models.Serialize{Nested: q.Included()})
	if err != nil {
		return err
	}
	if page.Next != "" {
		values.Set(cursorParameter, page.Next)
		w.Header().Set("Link", "<"+r.URL.EscapedPath()+"?"+values.Encode()+`>; rel="next"`)
	}
	return Show(w, r, http.StatusOK, list{Items: items, Next: page.Next})
}

func limit(values url.Values) (int, error) {
	if !values.Has(limitParameter) {
		return DefaultLimit, nil
	}
	n, err := strconv.Atoi(values.Get(limitParameter))
	if err != nil || n < 1 || n > MaxLimit {
		return 0, httperror.New(http.StatusBadRequest, "%s: a whole number from 1 to %d is wanted", limitParameter, MaxLimit)
	}
	return n, nil
}
