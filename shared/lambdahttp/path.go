package lambdahttp

import (
	"net/url"
	"strings"
)

// escapedPath returns a decoded path as a client may have sent it. The gateway hands
// over a decoded path, in which `/users/a%2Fb` is `/users/a/b`. Where the event names
// the route and its variables, the path is built from them, so that a slash, a percent
// sign or a question mark in a variable stays within it. This drops the stage and the
// base path of a custom domain as well, which are no part of a route.
func escapedPath(raw, route string, values map[string]string, stage string) string {
	if route != "" {
		plain, escaped, ok := expand(route, values)
		if ok && strings.HasSuffix(raw, plain) {
			return escaped
		}
	}
	if stage != "" && stage != "$default" {
		if rest, ok := strings.CutPrefix(raw, "/"+stage); ok && (rest == "" || rest[0] == '/') {
			raw = rest
		}
	}
	if !strings.HasPrefix(raw, "/") {
		raw = "/" + raw
	}
	return escape(raw)
}

// expand writes the values into a route such as /v{version}/files/{path+}: as they are,
// and escaped. It is false where a variable has no value.
func expand(route string, values map[string]string) (plain, escaped string, ok bool) {
	var p, e strings.Builder
	for {
		literal, rest, more := strings.Cut(route, "{")
		p.WriteString(literal)
		e.WriteString(escape(literal))
		if !more {
			return p.String(), e.String(), true
		}
		name, rest, closed := strings.Cut(rest, "}")
		name, greedy := strings.CutSuffix(name, "+")
		value, known := values[name]
		if !closed || !known {
			return "", "", false
		}
		p.WriteString(value)
		if greedy {
			e.WriteString(escape(value)) // its slashes separate segments
		} else {
			e.WriteString(url.PathEscape(value))
		}
		route = rest
	}
}

func escape(path string) string { return (&url.URL{Path: path}).EscapedPath() }
