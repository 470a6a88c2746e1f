package gateway

import (
	"cmp"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/tandem-api/tandem/localhost/template"
)

// within says whether a path is under a stage's prefix.
func within(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (prefix == "" || rest == "" || rest[0] == '/')
}

// routed is a URL as it is routed: decoded, since an event says no more of it than
// that, but for a slash within a part (%2F), which stays within it (?). RawPath is set
// where there is one.
func routed(u *url.URL) *url.URL {
	if u.RawPath == "" {
		return u
	}
	out := *u
	out.RawPath = ""
	if strings.Contains(u.RawPath, "%2F") || strings.Contains(u.RawPath, "%2f") {
		parts := strings.Split(u.RawPath, "/")
		for i, part := range parts {
			if plain, err := url.PathUnescape(part); err == nil {
				parts[i] = url.PathEscape(plain)
			}
		}
		out.RawPath = strings.Join(parts, "/")
	}
	return &out
}

// plainPath says that a path is written the same in every escaping.
func plainPath(path string) bool {
	for _, c := range []byte(path) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '/', c == '-', c == '_', c == '.', c == '~':
		default:
			return false
		}
	}
	return true
}

// functionURL is the URL as a function sees it, which on Lambda is made anew from the
// event: without the stage, its path escaped part by part from the decoded variables of
// the route. A %2F outside of a variable is a slash, therefore, and so it is in the
// path that a greedy variable takes. A REST API leaves the path as it was sent. The
// query is as it was sent, but for payload 1.0, whose events have it decoded. It is nil
// where the client's is just that.
func (c *call) functionURL() *url.URL {
	u := c.request.URL
	plain := u.RawPath == "" && plainPath(u.Path)
	decoded := c.route.PayloadVersion == "1.0" && u.RawQuery != ""
	if plain && !decoded && c.api.prefix == "" && u.Scheme == "" && u.Opaque == "" && !u.ForceQuery && utf8.ValidString(u.RawQuery) {
		return nil
	}
	path := asJSON(strings.TrimPrefix(u.Path, c.api.prefix))
	if path == "" {
		path = "/"
	}
	out := &url.URL{Path: path, RawQuery: asJSON(u.RawQuery)}
	if decoded {
		out.RawQuery = url.Values(query(u.RawQuery)).Encode()
	}
	if plain {
		return out
	}
	escaped := escape(path)
	switch {
	case c.api.Kind == template.REST:
		escaped = c.sentPath()
	case len(c.route.names) > 0:
		escaped = c.expand()
	}
	if parsed, err := url.ParseRequestURI(escaped); err == nil {
		out.Path, out.RawPath = parsed.Path, parsed.RawPath
	}
	return out
}

// sentPath is the path as the client has written it, without the stage.
func (c *call) sentPath() string {
	return cmp.Or(strings.TrimPrefix(c.request.URL.EscapedPath(), c.api.prefix), "/")
}

// sentParameter is the value of a variable as the client has written it. A variable of a
// REST API is a whole part of the path, or the rest of it.
func (c *call) sentParameter(name string) string {
	route, path := strings.Split(c.route.Path, "/"), strings.Split(c.sentPath(), "/")
	for i, part := range route {
		switch {
		case i >= len(path):
		case part == "{"+name+"}":
			return path[i]
		case part == "{"+name+"+}":
			return strings.Join(path[i:], "/")
		}
	}
	return ""
}

// expand writes the route's path with its variables.
func (c *call) expand() string {
	var b strings.Builder
	rest := c.route.Path
	for _, name := range c.route.names {
		literal, after, _ := strings.Cut(rest, "{")
		_, rest, _ = strings.Cut(after, "}")
		b.WriteString(escape(literal))
		value := c.parameter(name)
		if strings.HasPrefix(after, name+"+}") {
			b.WriteString(escape(value)) // its slashes separate parts
		} else {
			b.WriteString(url.PathEscape(value))
		}
	}
	b.WriteString(escape(rest))
	return b.String()
}

func escape(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// parameter is the decoded value of a variable of the route's path.
func (c *call) parameter(name string) string {
	for i, n := range c.route.names {
		if n != name || i >= len(c.chi.URLParams.Values) {
			continue
		}
		value := c.chi.URLParams.Values[i]
		if c.escaped {
			if plain, err := url.PathUnescape(value); err == nil {
				value = plain
			}
		}
		return asJSON(value)
	}
	return ""
}

// asJSON is a text as it comes through an event's JSON, where each byte that is not
// UTF-8 becomes U+FFFD.
func asJSON(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
