package database

import (
	"testing"

	"github.com/tandem-api/tandem/shared/config"
)

func TestPostgresElsewhereMustSpeakTLS(t *testing.T) {
	for url, want := range map[string]bool{
		"postgres://u:p@db.example.com/x":                true,
		"postgres://u:p@10.0.0.7:5432/x?sslmode=require": true,
		"postgres://u:p@10.0.0.7:5432/x?sslmode=disable": false,
		"postgres://u:p@localhost/x?sslmode=disable":     false,
	} {
		c, err := postgresConfig(config.Secret(url))
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		plain := c.TLSConfig == nil
		for _, f := range c.Fallbacks {
			plain = plain || f.TLSConfig == nil
		}
		if plain == want {
			t.Errorf("%s: plain text is possible: %v", url, plain)
		}
	}
}
