package scrub

import (
	"net/url"
	"strings"
)

// Query hides the secrets in a URL's raw query and leaves the rest as it was sent.
func Query(raw string) string {
	if raw == "" {
		return ""
	}
	pairs := strings.Split(raw, "&")
	for i, pair := range pairs {
		name, value, found := strings.Cut(pair, "=")
		switch {
		case !found:
			pairs[i] = encoded(pair)
		case Key(decoded(name)):
			pairs[i] = name + "=" + Hidden
		default:
			pairs[i] = encoded(name) + "=" + encoded(value)
		}
	}
	return strings.Join(pairs, "&")
}

// encoded scrubs one part of a query, which may be a whole URL with a query of its
// own.
func encoded(part string) string {
	plain := decoded(part)
	if clean := Text(plain); clean != plain {
		return url.QueryEscape(clean)
	}
	return part
}

func decoded(part string) string {
	if plain, err := url.QueryUnescape(part); err == nil {
		return plain
	}
	return part
}
