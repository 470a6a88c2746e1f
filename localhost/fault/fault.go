// Package fault answers in the place of code that does not build or does not start.
package fault

import (
	"io"
	"net/http"
	"net/netip"
	"strconv"
)

// Error is of a call to such code, and says what the compiler says.
type Error struct{ Text string }

func (e *Error) Error() string { return e.Text }

// Answer answers 503 with the text, which is the compiler's and quotes the source, to
// programs of this machine. Others learn only that there is something wrong.
func Answer(w http.ResponseWriter, r *http.Request, text string) {
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || !from.Addr().Unmap().IsLoopback() {
		text = http.StatusText(http.StatusServiceUnavailable)
	}
	text += "\n"
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, text) // it fails for HEAD, and when the client has gone
}
