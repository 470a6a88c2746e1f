package lambdahttp

import (
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
)

// recorder is an http.ResponseWriter that keeps the answer, with the rules of
// net/http's own for HTTP/1.1: the first status wins, headers are fixed by then, and so
// on. Differences: nothing is sent before the handler returns, so that Flush only fixes
// the head; trailers and informational answers (1xx) are dropped, as API Gateway has no
// place for them.
type recorder struct {
	head   bool        // the request is a HEAD
	header http.Header // the handler's, until the head is fixed
	out    http.Header // the answer's, from then on
	body   strings.Builder

	status   int   // 0 until the head is fixed
	declared int64 // Content-Length as the handler set it; -1 where it did not
	written  int64
	typed    bool // nothing more is to be done about Content-Type
}

func newRecorder(head bool, out http.Header) *recorder {
	return &recorder{head: head, header: http.Header{}, out: out, declared: -1}
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %v", status)) // net/http's words
	}
	if w.status != 0 || status < 200 && status != http.StatusSwitchingProtocols {
		return
	}
	w.status = status
	w.fixHeader()
}

// fixHeader copies the handler's headers into the answer's, cleaned as net/http does.
func (w *recorder) fixHeader() {
	var others []string // names that are not in their usual case
	for name := range w.header {
		if http.CanonicalHeaderKey(name) == name {
			w.copyHeader(name)
		} else {
			others = append(others, name)
		}
	}
	slices.Sort(others) // as net/http, which writes all names in order
	for _, name := range others {
		w.copyHeader(name)
	}
	_, w.typed = w.header["Content-Type"] // a nil value forbids one
	n, err := strconv.ParseInt(w.out.Get("Content-Length"), 10, 64)
	if err != nil || n < 0 {
		w.out.Del("Content-Length")
	} else {
		w.declared = n
	}
}

func (w *recorder) copyHeader(name string) {
	values := w.header[name]
	if len(values) == 0 || !isToken(name) || hopByHop(name) {
		return
	}
	key := http.CanonicalHeaderKey(name)
	for _, v := range values {
		w.out[key] = append(w.out[key], clean(v))
	}
}

// hopByHop says whether a header is about the connection, which is the gateway's.
func hopByHop(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return strings.HasPrefix(name, http.TrailerPrefix)
}

// clean keeps a value from ending its line.
func clean(value string) string {
	if strings.ContainsAny(value, "\r\n") {
		value = strings.NewReplacer("\n", " ", "\r", " ").Replace(value)
	}
	return textproto.TrimString(value)
}

func isToken(name string) bool {
	const signs = "!#$%&'*+-.^_`|~" // RFC 9110, section 5.6.2
	for _, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte(signs, c) < 0 {
			return false
		}
	}
	return name != ""
}

func (w *recorder) Write(p []byte) (int, error) {
	if err := w.admit(len(p)); err != nil {
		return 0, err
	}
	return w.body.Write(p)
}

func (w *recorder) WriteString(s string) (int, error) {
	if err := w.admit(len(s)); err != nil {
		return 0, err
	}
	return w.body.WriteString(s)
}

// ReadFrom is there because net/http's writer has it, and handlers may ask for it.
func (w *recorder) ReadFrom(src io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{w}, src)
}

// admit says whether n more bytes may be written.
func (w *recorder) admit(n int) error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if n == 0 {
		return nil
	}
	if !bodyAllowed(w.status) {
		return http.ErrBodyNotAllowed
	}
	w.written += int64(n)
	if w.declared >= 0 && w.written > w.declared {
		return http.ErrContentLength
	}
	return nil
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// Flush fixes the head, with the content type of what has been written so far.
func (w *recorder) Flush() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.sniff()
}

// sniff sets the content type of a body for which the handler set none.
func (w *recorder) sniff() {
	if w.typed {
		return
	}
	w.typed = true
	if w.out.Get("Content-Encoding") != "" || w.body.Len() == 0 {
		return
	}
	const most = 512 // what DetectContentType looks at
	text := w.body.String()
	w.out.Set("Content-Type", http.DetectContentType([]byte(text[:min(most, len(text))])))
}

// finish completes the answer once the handler has returned. It fails where the handler
// has announced more than it wrote: net/http would break the connection off, but an
// event has no way to be half an answer.
func (w *recorder) finish() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.sniff()
	length := int64(w.body.Len())
	switch {
	case !bodyAllowed(w.status):
		w.out.Del("Content-Length")
		if w.status == http.StatusNotModified {
			w.out.Del("Content-Type")
		}
	case w.head:
		if w.declared < 0 && length > 0 {
			w.out.Set("Content-Length", strconv.FormatInt(length, 10))
		}
		w.body.Reset()
	case w.declared >= 0 && length != w.declared:
		return fmt.Errorf("the handler wrote %d bytes of the %d that its Content-Length announces", length, w.declared)
	case w.declared < 0:
		w.out.Set("Content-Length", strconv.FormatInt(length, 10))
	}
	return nil
}
