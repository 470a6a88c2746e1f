package resource

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tandem-api/tandem/shared/httperror"
)

// Show answers with v as JSON and its ETag. A GET that says in If-None-Match that it has
// the same already gets a 304 without a body (RFC 9110, section 13.1.2).
func Show(w http.ResponseWriter, r *http.Request, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	h := w.Header()
	tag := tagOf(body)
	h.Set("ETag", tag)
	// The answer is for who is logged in; a cache may keep it, and ask again.
	h.Set("Cache-Control", "private, no-cache")
	h.Add("Vary", "Authorization")
	if (r.Method == http.MethodGet || r.Method == http.MethodHead) && matches(r.Header.Values("If-None-Match"), tag, true) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // it fails only when the client has gone
	return nil
}

// unchanged returns a 412 where If-Match names other states of a thing than v, which is
// what Show would show of it, without includes, or If-None-Match names this one (RFC
// 9110, sections 13.1.1 and 13.1.2). A request without them holds for any state.
func unchanged(r *http.Request, v any) error {
	wanted, unwanted := r.Header.Values("If-Match"), r.Header.Values("If-None-Match")
	if len(wanted) == 0 && len(unwanted) == 0 {
		return nil
	}
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the present state: %w", err)
	}
	tag := tagOf(body)
	if len(wanted) > 0 && !matches(wanted, tag, false) {
		return httperror.New(http.StatusPreconditionFailed, "it was changed in between: get it again, and change that")
	}
	if len(unwanted) > 0 && matches(unwanted, tag, true) {
		return httperror.New(http.StatusPreconditionFailed, "it is in the state that If-None-Match excludes")
	}
	return nil
}

func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`
}

// matches tells whether a list of tags has this one. A weak tag, W/"…", is enough to
// keep what one has, and not to change it.
func matches(lists []string, tag string, weak bool) bool {
	for given := range strings.SplitSeq(strings.Join(lists, ","), ",") {
		given = strings.TrimSpace(given)
		if weak {
			given = strings.TrimPrefix(given, "W/")
		}
		if given == "*" || given == tag {
			return true
		}
	}
	return false
}
