// Package version reads the version that a request asks for from its path, and says
// that a version is on its way out.
package version

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
)

// Of returns the version that the route variable "version" asks for, as in
// "/v{version}/foo": a whole number in ASCII digits, leading zeros allowed. A number
// that is none of 1 to latest, however large, is answered as latest, so that a client
// may ask for a version that is not deployed yet. Anything else is a 404, as a path
// without a route is.
func Of(r *http.Request, latest int) (int, error) {
	text := function.Param(r, "version")
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, httperror.New(http.StatusNotFound, "")
	}
	// What does not fit an int is above latest as well.
	if n, err := strconv.Atoi(text); err == nil && 1 <= n && n <= latest {
		return n, nil
	}
	return latest, nil
}

// Deprecate says that what answers is deprecated since then (RFC 9745) and where its
// successor is (RFC 5829): a URI reference, such as "/v2/foo". It must run before the
// answer's first byte.
func Deprecate(w http.ResponseWriter, since time.Time, successor string) {
	w.Header().Set("Deprecation", "@"+strconv.FormatInt(since.Unix(), 10))
	w.Header().Add("Link", "<"+successor+`>; rel="successor-version"`)
}
