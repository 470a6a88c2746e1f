package probe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/logging"
)

func requestID(r *http.Request) bool { return logging.Value(r.Context(), logging.RequestID) != "" }

// answers are the ways to answer /do/{what}.
var answers = map[string]function.Handler{
	"status":      status,
	"headers":     headers,
	"cookies":     cookies,
	"bytes":       written("application/octet-stream", "\x00\xff\xfe\r\n\x80"),
	"text":        written("text/plain; charset=utf-8", "grüße & <b>\n"),
	"json":        written("application/json", `{"a":"<&>","b":[1,2.50]}`),
	"untyped":     written("", "<html><body>guessed"),
	"png":         written("", "\x89PNG\r\n\x1a\n\x00"),
	"compressed":  compressed,
	"nothing":     func(http.ResponseWriter, *http.Request) error { return nil },
	"created":     created,
	"redirect":    redirect,
	"late":        late,
	"twice":       twice,
	"flush":       flush,
	"interim":     interim,
	"hop":         hop,
	"length":      length,
	"short":       short,
	"size":        size,
	"denied":      denied,
	"error":       func(http.ResponseWriter, *http.Request) error { return errors.New("an inner secret") },
	"panic":       func(http.ResponseWriter, *http.Request) error { panic("an inner secret") },
	"abort":       func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) },
	"halfway":     halfway,
	"beyond":      func(w http.ResponseWriter, _ *http.Request) error { w.WriteHeader(600); return nil },
	"exit":        func(http.ResponseWriter, *http.Request) error { os.Exit(3); return nil },
	"wait":        wait,
	"nocontent":   bodiless(http.StatusNoContent),
	"notmodified": bodiless(http.StatusNotModified),
	"cors":        cors,
	"nosniff":     nosniff,
}

func number(r *http.Request, name string) int {
	n, _ := strconv.Atoi(r.URL.Query().Get(name))
	return n
}

func status(w http.ResponseWriter, r *http.Request) error {
	w.WriteHeader(number(r, "code"))
	_, err := fmt.Fprint(w, "status ", r.URL.Query().Get("code"))
	return err
}

func headers(w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h.Add("X-Repeated", "a")
	h.Add("X-Repeated", "b, c")
	h["x-lower"] = []string{"kept"}
	h.Set("X-Empty", "")
	h.Set("X-Comma", `t=1,v1=abc;q="a,b"`)
	h.Set("X-Latin", "caf\u00e9")
	h.Set("X-Line", "a\r\nX-Injected: b")
	h.Set("Cache-Control", "no-store")
	h.Set("Etag", `"a,b"`)
	h.Set("Content-Type", "text/plain")
	_, err := io.WriteString(w, "headers")
	return err
}

func cookies(w http.ResponseWriter, _ *http.Request) error {
	http.SetCookie(w, &http.Cookie{Name: "a", Value: "1", Path: "/", HttpOnly: true})
	http.SetCookie(w, &http.Cookie{Name: "b", Value: "2", Expires: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)})
	w.Header().Add("Set-Cookie", "c=3; Path=/x")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func written(contentType, body string) function.Handler {
	return func(w http.ResponseWriter, _ *http.Request) error {
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		_, err := io.WriteString(w, body)
		return ignoreHead(err)
	}
}

// ignoreHead leaves aside that nothing can be written to a HEAD.
func ignoreHead(err error) error {
	if errors.Is(err, http.ErrBodyNotAllowed) {
		return nil
	}
	return err
}

// compressed is bytes that look like text, and say that they are not.
func compressed(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Encoding", "br")
	_, err := io.WriteString(w, "pretend")
	return err
}

func created(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Location", "/items/7")
	w.WriteHeader(http.StatusCreated)
	return nil
}

func redirect(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, "/items/7?a=b", http.StatusSeeOther)
	return nil
}

// late sets a header when the head has gone.
func late(w http.ResponseWriter, _ *http.Request) error {
	_, err := io.WriteString(w, "body")
	w.Header().Set("X-Late", "1")
	return err
}

func twice(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusAccepted)
	w.WriteHeader(http.StatusTeapot)
	_, err := io.WriteString(w, "first")
	return err
}

func flush(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/event-stream")
	c := http.NewResponseController(w)
	for i := range 3 {
		if _, err := fmt.Fprintf(w, "data: %d\n\n", i); err != nil {
			return err
		}
		if err := c.Flush(); err != nil {
			return err
		}
		w.Header().Set("X-Late", "1")
	}
	return nil
}

func interim(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Link", "</a.css>; rel=preload")
	w.WriteHeader(http.StatusEarlyHints)
	_, err := io.WriteString(w, "final")
	return err
}

// hop sets what is the connection's, not the answer's.
func hop(w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h.Set("Connection", "X-Gone")
	h.Set("Keep-Alive", "timeout=5")
	h.Set("Upgrade", "websocket")
	h.Set("Trailer", "X-Sum")
	_, err := io.WriteString(w, "body")
	h.Set("X-Sum", "1")
	return err
}

func length(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Length", "4")
	_, err := io.WriteString(w, "body")
	return ignoreHead(err)
}

// short announces more than it writes.
func short(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Length", "10")
	_, err := io.WriteString(w, "body")
	return err
}

// size answers with that many bytes: text, or with "bytes" what base64 is needed for.
func size(w http.ResponseWriter, r *http.Request) error {
	piece := []byte("x")
	w.Header().Set("Content-Type", "text/plain")
	if r.URL.Query().Has("bytes") {
		piece = []byte{0xff}
		w.Header().Set("Content-Type", "application/octet-stream")
	}
	_, err := w.Write(bytes.Repeat(piece, number(r, "n")))
	return err
}

func denied(http.ResponseWriter, *http.Request) error {
	return httperror.New(http.StatusUnauthorized, "log in first").With("WWW-Authenticate", `Bearer realm="a, b"`)
}

func halfway(w http.ResponseWriter, _ *http.Request) error {
	if _, err := io.WriteString(w, "half"); err != nil {
		return err
	}
	panic("an inner secret")
}

// wait answers after that many milliseconds, whatever the context says.
func wait(w http.ResponseWriter, r *http.Request) error {
	<-time.After(time.Duration(number(r, "ms")) * time.Millisecond)
	_, err := io.WriteString(w, "done")
	return err
}

func bodiless(status int) function.Handler {
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Etag", `"x"`)
		w.WriteHeader(status)
		if _, err := io.WriteString(w, "no"); !errors.Is(err, http.ErrBodyNotAllowed) {
			return fmt.Errorf("a body was taken for status %d: %w", status, err)
		}
		return nil
	}
}

func cors(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Access-Control-Allow-Origin", "https://of.the.function")
	w.Header().Set("Access-Control-Allow-Methods", "TRACE")
	w.Header().Set("X-Mine", "1")
	_, err := io.WriteString(w, "body")
	return err
}

// nosniff forbids that a content type is guessed.
func nosniff(w http.ResponseWriter, _ *http.Request) error {
	w.Header()["Content-Type"] = nil
	_, err := io.WriteString(w, "body")
	return err
}
