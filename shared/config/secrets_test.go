package config_test

import (
	"slices"
	"testing"

	"github.com/tandem-api/tandem/shared/config"
)

func TestSecrets(t *testing.T) {
	for name, c := range map[string]struct {
		config config.Config
		want   []string
	}{
		"none":                  {config.Config{DatabaseURL: "sqlite:tmp/tandem.db", RedisURL: "redis://localhost"}, nil},
		"the keys":              {config.Config{HoneybadgerAPIKey: "hb", InternalPassword: "in", AuthSecrets: []config.Secret{"a", "b"}}, []string{"hb", "in", "a", "b"}},
		"a URL's password":      {config.Config{DatabaseURL: "postgres://u:p%40w@h/db"}, []string{"p@w", "p%40w"}},
		"a password alone":      {config.Config{RedisURL: "redis://:pass@h"}, []string{"pass", "pass"}},
		"a user alone":          {config.Config{RedisURL: "redis://user@h"}, nil},
		"a URL that is no such": {config.Config{DatabaseURL: "postgres://u:p w@h"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range c.config.Secrets() {
				got = append(got, s.Reveal())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("Secrets() = %q, want %q", got, c.want)
			}
		})
	}
}
