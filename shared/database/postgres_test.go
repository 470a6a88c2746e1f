package database_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/apptest/loopback"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
)

const password = "correct-horse-battery"

func TestPostgresErrorsAreQuickAndClear(t *testing.T) {
	hung := loopback.Hung(t)
	for name, test := range map[string]struct{ url, want string }{
		"nobody listens":   {"postgres://me:" + password + "@127.0.0.1:1/x", "connection refused"},
		"the server hangs": {"postgres://me:" + password + "@" + hung + "/x", "timeout"},
		"a wrong setting":  {"postgres://me:" + password + "@localhost/x?sslmode=perhaps", "sslmode is invalid"},
		"a wrong port":     {"postgres://me:" + password + "@localhost:99999/x", "invalid port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			_, err := database.Of(function.New(config.Config{DatabaseURL: config.Secret(test.url)}, t.Output()))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("%v", err)
			}
			if text := err.Error(); strings.Contains(text, password) || strings.Contains(text, "\n") || !strings.Contains(text, "DATABASE_URL") {
				t.Errorf("%q", text)
			}
			if took := time.Since(start); took > 6*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestPostgresRefusesAnUnknownDatabase(t *testing.T) {
	u, err := url.Parse(apptest.PostgresURL(t).Reveal())
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/nowhere"
	_, err = database.Of(function.New(config.Config{DatabaseURL: config.Secret(u.String())}, t.Output()))
	if err == nil || !strings.Contains(err.Error(), `"nowhere" does not exist`) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}

func TestPostgresSpeaksTLSAsAsked(t *testing.T) {
	base := apptest.PostgresURL(t).Reveal()
	for mode, want := range map[string]bool{"disable": false, "require": true} {
		u, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		query := u.Query()
		query.Set("sslmode", mode)
		u.RawQuery = query.Encode()
		db := apptest.OpenDatabase(t, config.Secret(u.String()))
		if got := scan[bool](t, db, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"); got != want {
			t.Errorf("sslmode=%s: TLS is %v", mode, got)
		}
	}
	u, _ := url.Parse(base)
	u.RawQuery = url.Values{"sslmode": {"verify-full"}}.Encode()
	_, err := database.Of(function.New(config.Config{DatabaseURL: config.Secret(u.String())}, t.Output()))
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody signed is taken: %v", err)
	}
}

func TestPoolIsSmallOnLambda(t *testing.T) {
	postgresURL := apptest.PostgresURL(t)
	for name, test := range map[string]struct {
		lambda string
		want   int
	}{"host": {"", 20}, "lambda": {"foo", 2}} {
		t.Run(name, func(t *testing.T) {
			app := function.New(config.Config{DatabaseURL: postgresURL, Lambda: test.lambda}, t.Output())
			defer func() { _ = app.Close(context.Background()) }()
			db, err := database.Of(app)
			if err != nil {
				t.Fatal(err)
			}
			pool, err := db.DB()
			if err != nil {
				t.Fatal(err)
			}
			if got := pool.Stats().MaxOpenConnections; got != test.want {
				t.Errorf("%d connections at most, want %d", got, test.want)
			}
			if err := database.Ping(t.Context(), db); err != nil {
				t.Error(err)
			}
		})
	}
}
