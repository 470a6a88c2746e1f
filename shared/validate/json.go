// Package validate checks a request's JSON body against a schema before the handler
// runs.
package validate

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
)

// DefaultLimit is how large a body may be, in bytes, unless Limit says otherwise.
const DefaultLimit = 1 << 20

// maxViolations is how many violations an answer names.
const maxViolations = 100

// An Option changes what JSON does.
type Option func(*options)

type options struct {
	limit       int64
	mediaTypes  []string
	onViolation func(http.ResponseWriter, *http.Request, []httperror.Violation) error
}

// Limit sets how large a body may be, in bytes.
func Limit(bytes int64) Option { return func(o *options) { o.limit = bytes } }

// MediaTypes are those that the body may have, in place of application/json.
func MediaTypes(types ...string) Option { return func(o *options) { o.mediaTypes = types } }

// OnViolation replaces the default 422 with the controller's own answer. It is given
// the first 100 violations, in the order of their places.
func OnViolation(answer func(w http.ResponseWriter, r *http.Request, violations []httperror.Violation) error) Option {
	return func(o *options) { o.onViolation = answer }
}

// JSON returns a handler that calls next with the request's body, once the body has
// passed the schema and fits a T. Else it answers with
//
//	400  an empty body, or one that is not JSON: the detail says where
//	413  a body over the limit, which is not read to its end
//	415  a media type other than application/json (see MediaTypes), a charset other than
//	     UTF-8, or a content encoding; types of the form application/…+json are others
//	     as well
//	422  a body that violates the schema: every violation has a JSON pointer
//
// Names are matched to T's fields as they are written, as the schema matches them:
// with encoding/json, which takes "WORLD" for "world", a client could show the schema
// one value and the handler another.
func JSON[T any](s *Schema, next func(w http.ResponseWriter, r *http.Request, body T) error, opts ...Option) function.Handler {
	o := options{limit: DefaultLimit, mediaTypes: []string{"application/json"}, onViolation: unprocessable}
	for _, option := range opts {
		option(&o)
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		text, err := read(w, r, o)
		if err != nil {
			return err
		}
		document, violations, err := parse(text, o.limit)
		switch {
		case errors.Is(err, errTooHeavy):
			return httperror.New(http.StatusRequestEntityTooLarge, "%s", err)
		case err != nil:
			return httperror.New(http.StatusBadRequest, "the body is not JSON: %s", err)
		}
		if violations == nil {
			violations = s.violations(document)
		}
		var body T
		if violations == nil {
			violations = decode(text, &body)
		}
		if violations != nil {
			return o.onViolation(w, r, violations[:min(len(violations), maxViolations)])
		}
		return next(w, r, body)
	}
}

func unprocessable(_ http.ResponseWriter, _ *http.Request, violations []httperror.Violation) error {
	e := httperror.New(http.StatusUnprocessableEntity, "the body does not have the required form")
	if len(violations) == maxViolations {
		e.Detail += "; it may have more violations than the first " + strconv.Itoa(maxViolations) + " that are listed"
	}
	e.Violations = violations
	return e
}

// decode fills body from text, which is valid JSON. What does not fit the Go type,
// though the schema let it through, such as a number over the type's range, is a
// violation like any other.
func decode(text []byte, body any) []httperror.Violation {
	// Duplicate names have been refused already.
	err := json.Unmarshal(text, body, jsontext.AllowDuplicateNames(true))
	if err == nil {
		return nil
	}
	v := httperror.Violation{Message: "does not have the required form"}
	if e, ok := errors.AsType[*json.SemanticError](err); ok {
		where := strings.Split(string(e.JSONPointer), "/")
		for i, token := range where {
			where[i] = unescape.Replace(token)
		}
		v = violation(where[1:], mismatch(e))
	}
	return []httperror.Violation{v}
}

func mismatch(e *json.SemanticError) string {
	switch {
	case errors.Is(e.Err, strconv.ErrRange):
		return "is a number out of range"
	case e.JSONKind == '0' && e.Err != nil:
		return "must be a whole number in range"
	default:
		return "does not have the required form"
	}
}

// byPlace orders violations by their pointers, array items by number.
func byPlace(a, b httperror.Violation) int {
	x, y := strings.Split(a.Pointer, "/"), strings.Split(b.Pointer, "/")
	for i := range min(len(x), len(y)) {
		if c := byToken(x[i], y[i]); c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(a.Message, b.Message))
}

func byToken(x, y string) int {
	m, errX := strconv.Atoi(x)
	n, errY := strconv.Atoi(y)
	if errX == nil && errY == nil {
		return cmp.Compare(m, n)
	}
	return strings.Compare(x, y)
}
