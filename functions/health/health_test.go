package health_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tandem-api/tandem/functions/health"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/apptest/loopback"
	"github.com/tandem-api/tandem/shared/config"
)

func TestHealth(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*config.Config)
		status int
		want   string
	}{
		{"all is well", func(*config.Config) {}, 200,
			`{"status":"ok","dependencies":{"database":"ok","redis":"ok"}}`},
		{"no Redis is configured", func(c *config.Config) { c.RedisURL = "" }, 200,
			`{"status":"ok","dependencies":{"database":"ok","redis":"not configured"}}`},
		{"Redis is down", func(c *config.Config) { c.RedisURL = "redis://:hunter2@127.0.0.1:1" }, 503,
			`{"status":"unavailable","dependencies":{"database":"ok","redis":"unreachable"}}`},
		{"the database is down", func(c *config.Config) { c.DatabaseURL = "postgres://me:hunter2@127.0.0.1:1/db" }, 503,
			`{"status":"unavailable","dependencies":{"database":"unreachable","redis":"ok"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := apptest.New(t, c.change)
			got := apptest.Get(t, app.Serve(health.Function)+"/health")
			if got.Status != c.status || got.Body != c.want {
				t.Errorf("%d %s\nwant %d %s", got.Status, got.Body, c.status, c.want)
			}
		})
	}
}

// Whoever asks for the health gets an answer even where a dependency gives none.
func TestADependencyThatHangs(t *testing.T) {
	silent := loopback.Hung(t)
	for name, change := range map[string]func(*config.Config){
		"redis": func(c *config.Config) { c.RedisURL = config.Secret("redis://" + silent) },
		"database": func(c *config.Config) {
			c.DatabaseURL = config.Secret("postgres://me@" + silent + "/db")
		},
	} {
		t.Run(name, func(t *testing.T) {
			url := apptest.New(t, change).Serve(health.Function)
			began := time.Now()
			got := apptest.Get(t, url+"/health")
			if took := time.Since(began); got.Status != http.StatusServiceUnavailable || took > 10*time.Second {
				t.Errorf("%d after %s, want 503 at once", got.Status, took)
			}
		})
	}
}
