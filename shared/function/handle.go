package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/report"
)

// Handler answers a request, or returns why it cannot: an *httperror.Error is sent
// to the client, any other error is an internal one. It must not do both: what has
// begun cannot be taken back, so an error after that cuts the answer off.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Handle makes an http.HandlerFunc of h. It is the one place where an error turns
// into a status, a body and a report.
func (a *App) Handle(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			a.Fail(w, r, err)
		}
	}
}

// statusClientClosed is what the log says of a request whose client has gone. No
// client gets to see it. There is no status for it; this one is nginx's.
const statusClientClosed = 499

// Fail answers with err as a problem document, and logs and reports it if it is an
// internal one. Middleware uses it where Handle does not fit.
func (a *App) Fail(w http.ResponseWriter, r *http.Request, err error) {
	ctx := r.Context()
	begun := begun(w)
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		// Nobody reads the answer, and nothing is broken.
		a.Log.DebugContext(ctx, "request cancelled", "error", err)
		err = httperror.New(statusClientClosed, "")
	case begun:
		err = fmt.Errorf("after the answer had begun: %w", err)
		fallthrough
	case httperror.Status(err) >= http.StatusInternalServerError:
		a.Log.ErrorContext(ctx, "request failed", "error", err)
		a.Report.Notify(ctx, err, report.Request(r), report.Group(route(r)))
	}
	if begun {
		panic(http.ErrAbortHandler) // net/http's way to cut an answer off
	}
	httperror.Write(w, r, err)
}

// route is the route that the request has taken, whatever the values in its path.
func route(r *http.Request) string {
	pattern := ""
	if at := chi.RouteContext(r.Context()); at != nil {
		pattern = at.RoutePattern()
	}
	return r.Method + " " + pattern
}

func notFound(http.ResponseWriter, *http.Request) error {
	return httperror.New(http.StatusNotFound, "")
}

// JSON answers with v as JSON. It encodes first: an unfit v is an error and no
// half-written answer.
func JSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // it fails only when the client has gone
	return nil
}

// Param returns a variable of the route, decoded: chi hands over `a%2Fb` as it was
// sent, API Gateway as `a/b`.
func Param(r *http.Request, name string) string {
	raw := chi.URLParam(r, name)
	if value, err := url.PathUnescape(raw); err == nil && r.URL.RawPath != "" {
		return value
	}
	return raw
}
