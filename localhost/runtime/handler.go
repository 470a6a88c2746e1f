package lambda

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
)

// Handler lets a function answer HTTP requests as it does behind API Gateway: a
// request becomes an event, and the function's answer an HTTP answer.
type Handler struct {
	Invoke Invoke
	// Event makes the event of a request, in the payload format 1.0 or 2.0. Its error
	// is answered with status 500.
	Event func(*http.Request) ([]byte, error)
	// Stream sends the answer while the function writes it. API Gateway's HTTP APIs
	// cannot; Lambda's function URLs can (InvokeMode RESPONSE_STREAM).
	Stream bool
	// Refuse answers where the function gave no answer that could be sent: 500 for a
	// failed one, 429 for a busy one, 413 for an event too large, 503 where the
	// request's context came to its end first. Without it, the words are an HTTP API's.
	Refuse func(w http.ResponseWriter, r *http.Request, status int)
	// Log says why a request was refused; nil: nobody does.
	Log *slog.Logger
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	event, err := h.Event(r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	result, err := h.Invoke(r.Context(), Invocation{
		Payload: event, TraceID: r.Header.Get("X-Amzn-Trace-Id"), Stream: h.Stream,
	})
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	if result.Stream != nil {
		h.stream(w, r, result)
		return
	}
	answer, err := readAnswer(result.Payload, formatOf(event))
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	if gateway, ok := w.(interface{ Encoded(bool) }); ok {
		gateway.Encoded(answer.encoded)
	}
	answer.writeHead(w, r)
	_, _ = io.WriteString(w, answer.body) // it fails for HEAD, and when the client has gone
}

// writeHead writes the status and the headers. The length is that of the body, and
// for HEAD what the function says that GET would have.
func (a httpAnswer) writeHead(w http.ResponseWriter, r *http.Request) {
	to := w.Header()
	for name, values := range a.headers {
		switch name {
		case "Connection", "Keep-Alive", "Transfer-Encoding": // they are between two machines
		case "Content-Length":
			if r.Method == http.MethodHead {
				to[name] = values
			}
		default:
			to[name] = values
		}
	}
	if r.Method != http.MethodHead && !bodiless(a.status) && !a.endless {
		to["Content-Length"] = []string{strconv.Itoa(len(a.body))}
	}
	w.WriteHeader(a.status)
}

// refuse answers in the function's place.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	switch {
	case is[*ThrottledError](err):
		status = http.StatusTooManyRequests
	case is[*TooLargeError](err):
		status = http.StatusRequestEntityTooLarge
	case r.Context().Err() != nil, errors.Is(err, ErrClosed):
		status = http.StatusServiceUnavailable
	}
	if h.Log != nil {
		h.Log.ErrorContext(r.Context(), "no answer from the function", "status", status, "error", err)
	}
	if h.Refuse != nil {
		h.Refuse(w, r, status)
		return
	}
	text := http.StatusText(status) // these are API Gateway's words too
	writeJSON(w, status, `{"message":"`+text+`"}`)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
