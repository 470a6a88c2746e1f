package cache

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// answer is what a handler answered, complete.
type answer struct {
	status int
	header http.Header
	body   []byte
	stored time.Time // zero for one that was just computed
}

// notKept are headers of one exchange, not of the answer: those between two hops
// (RFC 9110, section 7.6.1), and those that name a request.
var notKept = [...]string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
	"Age", "Date", "X-Cache", "X-Request-Id", "Apigw-Requestid", "X-Amzn-Requestid", "X-Amzn-Trace-Id", "Traceparent",
	"Tracestate", "Server-Timing",
}

// forOthers returns the answer as others than the asker may have it, or nil if they
// may not.
func (a *answer) forOthers(o *Options) *answer {
	if len(a.header["Set-Cookie"]) > 0 || a.status == http.StatusPartialContent || a.status == http.StatusNotModified {
		return nil
	}
	for directive := range tokens(a.header["Cache-Control"]) {
		name, _, _ := strings.Cut(directive, "=")
		switch strings.ToLower(name) {
		case "private", "no-store", "no-cache":
			return nil
		}
	}
	for name := range tokens(a.header["Vary"]) {
		if !o.varies(name) {
			return nil
		}
	}
	header := maps.Clone(a.header)
	for name := range tokens(a.header["Connection"]) {
		delete(header, http.CanonicalHeaderKey(name))
	}
	for _, name := range notKept {
		delete(header, name)
	}
	for _, values := range header {
		if slices.ContainsFunc(values, func(v string) bool { return !utf8.ValidString(v) }) {
			return nil // its JSON would not be what it was
		}
	}
	return &answer{status: a.status, header: header, body: a.body}
}

// tokens yields the elements of a header that is a list.
func tokens(values []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, value := range values {
			for token := range strings.SplitSeq(value, ",") {
				if token = strings.TrimSpace(token); token != "" && !yield(token) {
					return
				}
			}
		}
	}
}

// write sends the answer. What middleware has set stays unless the answer has its
// own; Vary is a list to which both add.
func (a *answer) write(w http.ResponseWriter, o *Options) {
	state := "MISS"
	if !a.stored.IsZero() {
		state = "HIT"
		// Another machine's clock may be ahead of ours.
		w.Header().Set("Age", strconv.Itoa(int(max(0, time.Since(a.stored)).Seconds())))
	}
	writeHead(w, o, a.header, a.status, state)
	if len(a.body) > 0 {
		_, _ = w.Write(a.body) // it fails only when the client has gone
	}
}

func writeHead(w http.ResponseWriter, o *Options, header http.Header, status int, state string) {
	h := w.Header()
	for name, values := range header {
		if name == "Vary" {
			values = append(slices.Clone(h[name]), values...)
		}
		h[name] = slices.Clone(values)
	}
	h.Set("X-Cache", state)
	addVary(h, o)
	w.WriteHeader(status)
}

// addVary tells caches on the way to the client what ours goes by.
func addVary(h http.Header, o *Options) {
	for _, name := range o.Vary {
		if !slices.Contains(slices.Collect(tokens(h["Vary"])), name) {
			h.Add("Vary", name)
		}
	}
}
