package report

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/honeybadger-io/honeybadger-go"

	"github.com/tandem-api/tandem/shared/report/scrub"
)

const (
	maxURL    = 2 << 10 // bytes
	maxHeader = 1 << 10 // bytes of one header
)

// request adds to the notice what Honeybadger shows of a request.
func (b *budget) request(n *notice, r *http.Request) {
	n.url = b.text(requestURL(r), maxURL)
	n.cgi = honeybadger.CGIData{
		"REQUEST_METHOD": b.text(r.Method, maxKey),
		"REMOTE_ADDR":    b.text(r.RemoteAddr, maxKey),
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if len(n.cgi) > maxItems || !b.spend(len(`"HTTP_":"",`)) {
			break
		}
		value := scrub.Hidden
		if !scrub.Key(name) {
			value = strings.Join(r.Header[name], ", ")
		}
		key := "HTTP_" + strings.ReplaceAll(strings.ToUpper(b.text(name, maxKey)), "-", "_")
		n.cgi[key] = b.text(value, maxHeader)
	}
	n.params = b.params(r)
}

// requestURL is the whole URL, so that a person can open it. Its userinfo is left
// out, and the text of path and query is scrubbed by the names in it.
func requestURL(r *http.Request) string {
	if r.URL == nil {
		return ""
	}
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	text := r.URL.EscapedPath()
	if r.Host != "" {
		text = scheme + "://" + r.Host + text
	}
	if r.URL.RawQuery != "" {
		text += "?" + scrub.Query(r.URL.RawQuery)
	}
	return text
}

// params takes the form if the handler has parsed it, else the query. It never
// parses a form itself: that would read the body.
func (b *budget) params(r *http.Request) honeybadger.Params {
	form := r.Form
	if len(form) == 0 {
		if r.URL == nil || r.URL.RawQuery == "" {
			return nil
		}
		form = r.URL.Query()
	}
	return honeybadger.Params(b.form(form))
}

func (b *budget) form(form url.Values) url.Values {
	out := make(url.Values, min(len(form), maxItems))
	for _, key := range slices.Sorted(maps.Keys(form)) {
		if len(out) == maxItems || b.left <= 0 {
			out["…"] = nil
			break
		}
		values := form[key]
		if scrub.Key(key) {
			values = []string{scrub.Hidden}
		}
		name := b.text(key, maxKey)
		out[name] = make([]string, 0, min(len(values), maxItems))
		for _, v := range values[:min(len(values), maxItems)] {
			if !b.spend(len(`"":[],`)) {
				break
			}
			out[name] = append(out[name], b.text(v, maxValue))
		}
	}
	return out
}
