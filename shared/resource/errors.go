package resource

import (
	"errors"
	"net/http"

	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/models"
)

// BadQuery makes a 400 of what is unfit in a client's query, and returns any other error
// as it is. It is for queries that Parse made, and their cursors.
func BadQuery(err error) error {
	if e, ok := errors.AsType[*models.Error](err); ok {
		return httperror.New(http.StatusBadRequest, "%s", e.Error()).Because(err)
	}
	return err
}

// Refused makes an answer of what the models say to a write: 404 for a row that is not
// there, 409 for a value that is taken, 422 for one that is unfit. Any other error it
// returns as it is.
func Refused(err error) error {
	if errors.Is(err, models.ErrNotFound) {
		return notFound().Because(err)
	}
	if e, ok := errors.AsType[*models.ConflictError](err); ok {
		return violation(httperror.New(http.StatusConflict, "another one has this value").Because(err), e.Fields[0], "is taken")
	}
	if e, ok := errors.AsType[*models.ReferenceError](err); ok {
		return httperror.New(http.StatusConflict, "what this belongs to is not there any more").Because(e)
	}
	if e, ok := errors.AsType[*models.Error](err); ok {
		return Unfit(e.Name, e.Reason).Because(err)
	}
	return err
}

// Unfit is a 422 for a field of the body.
func Unfit(field, message string) *httperror.Error {
	return violation(httperror.New(http.StatusUnprocessableEntity, "the body does not have the required form"), field, message)
}

func violation(e *httperror.Error, field, message string) *httperror.Error {
	e.Violations = []httperror.Violation{{Pointer: "/" + field, Message: message}}
	return e
}

func notFound() *httperror.Error {
	return httperror.New(http.StatusNotFound, "there is none with this id")
}
