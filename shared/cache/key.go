package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-api/tandem/shared/logging"
)

// format is part of every key: count it up when the stored form changes, so that
// no release reads what it does not understand.
const format = "1"

// maxPlainKey is the longest method, path and query that stands in a key as it is,
// for a person with redis-cli; longer ones are hashed.
const maxPlainKey = 200

// credentials are the headers that make an answer someone's own.
var credentials = [...]string{"Authorization", "Cookie"}

// bypassed reports whether the request is none of the cache's business.
func (o *Options) bypassed(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return true
	}
	if o.Public {
		return false
	}
	for _, name := range credentials {
		if len(r.Header[name]) > 0 && !o.varies(name) {
			return true
		}
	}
	return false
}

func (o *Options) varies(header string) bool {
	return slices.ContainsFunc(o.Vary, func(name string) bool { return strings.EqualFold(name, header) })
}

// key names the answer to a request: module, function, format, and what tells one
// answer from another.
func (o *Options) key(r *http.Request) string {
	what := r.Method + " " + r.URL.EscapedPath() + "?" + canonicalQuery(r.URL.RawQuery)
	if len(what) > maxPlainKey || len(o.Vary) > 0 || o.By != nil {
		// What Vary and By give may be secret, and keys are for all to see.
		what = hashed(what, o.parts(r))
	}
	return strings.Join([]string{modulePath(), "cache", format, logging.Value(r.Context(), logging.Function), what}, ":")
}

func (o *Options) parts(r *http.Request) []string {
	var parts []string
	for _, name := range o.Vary {
		parts = append(parts, "header", name, strconv.Itoa(len(r.Header.Values(name))))
		parts = append(parts, r.Header.Values(name)...)
	}
	if o.By != nil {
		parts = append(parts, o.By(r)...)
	}
	return parts
}

// canonicalQuery sorts the query by name; the values of one name keep their order.
// What does not parse is taken as it was sent: the handler may look at it too.
func canonicalQuery(raw string) string {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return raw
	}
	return values.Encode()
}

// hashed joins the parts so that no two lists give the same key.
func hashed(what string, parts []string) string {
	h := sha256.New()
	for _, part := range append([]string{what}, parts...) {
		_, _ = h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// modulePath keeps the answers of two programs apart that share a Redis.
func modulePath() string {
	return strings.TrimSuffix(reflect.TypeFor[Options]().PkgPath(), "/shared/cache")
}
