package config

import (
	"net/url"
	"slices"
	"strings"
)

// Secrets returns each secret by itself: the keys, and the passwords in the URLs,
// both decoded and as they are written there. Reports hide these wherever they
// turn up, since an error of someone else's may quote them.
func (c Config) Secrets() []Secret {
	all := append([]Secret{c.HoneybadgerAPIKey, c.InternalPassword}, c.AuthSecrets...)
	for _, address := range []Secret{c.DatabaseURL, c.RedisURL} {
		all = append(all, passwords(address.Reveal())...)
	}
	return slices.DeleteFunc(all, func(s Secret) bool { return s == "" })
}

func passwords(address string) []Secret {
	u, err := url.Parse(address)
	if err != nil || u.User == nil {
		return nil
	}
	decoded, _ := u.User.Password()
	_, written, _ := strings.Cut(u.User.String(), ":")
	return []Secret{Secret(decoded), Secret(written)}
}
