package validate

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/tandem-api/tandem/shared/httperror"
)

// read returns the body of a request that says it is JSON.
func read(w http.ResponseWriter, r *http.Request, o options) ([]byte, error) {
	// Without a body there is nothing that a media type could describe.
	if r.ContentLength == 0 {
		return nil, errEmpty()
	}
	if err := mediaType(r.Header, o.mediaTypes); err != nil {
		return nil, err
	}
	if r.ContentLength > o.limit {
		return nil, errTooLarge(o.limit)
	}
	text, err := readAll(http.MaxBytesReader(w, r.Body, o.limit), r.ContentLength)
	if err != nil {
		return nil, unreadable(r, err)
	}
	if len(text) == 0 {
		return nil, errEmpty()
	}
	return text, nil
}

// readAll is io.ReadAll, in one allocation where the length is known.
func readAll(body io.Reader, length int64) ([]byte, error) {
	if length < 0 {
		return io.ReadAll(body)
	}
	text := make([]byte, length)
	_, err := io.ReadFull(body, text)
	return text, err
}

func unreadable(r *http.Request, err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge(tooLarge.Limit)
	}
	switch {
	case r.Context().Err() != nil:
		return r.Context().Err() // the client has gone
	case errors.Is(err, os.ErrDeadlineExceeded):
		return httperror.New(http.StatusRequestTimeout, "the body did not arrive in time").Because(err)
	default:
		return httperror.New(http.StatusBadRequest, "the body could not be read to its end").Because(err)
	}
}

func errEmpty() error {
	return httperror.New(http.StatusBadRequest, "the body is empty: send a JSON document")
}

func errTooLarge(limit int64) error {
	return httperror.New(http.StatusRequestEntityTooLarge, "the body is over the limit of %d bytes", limit)
}

// mediaType checks what the headers say that the body is. Repeated headers are joined,
// as API Gateway joins them, and so are no media type.
func mediaType(h http.Header, allowed []string) error {
	unsupported := func(detail string) *httperror.Error {
		// RFC 9110, sections 12.5.1 and 12.5.3: what would have been accepted.
		return httperror.New(http.StatusUnsupportedMediaType, "%s", detail).
			With("Accept", strings.Join(allowed, ", ")).With("Accept-Encoding", "identity")
	}
	kind, params, err := mime.ParseMediaType(strings.Join(h.Values("Content-Type"), ", "))
	if err != nil || !slices.Contains(allowed, kind) {
		return unsupported("send the body with Content-Type: " + strings.Join(allowed, " or "))
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return unsupported("send the body in UTF-8")
	}
	for _, coding := range h.Values("Content-Encoding") {
		if !strings.EqualFold(coding, "identity") {
			return unsupported("send the body without a Content-Encoding")
		}
	}
	return nil
}
