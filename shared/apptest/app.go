// Package apptest gives tests an app of their own: a migrated database in a file that
// goes with the test, Redis in the process, reports and logs to look at, and a Runtime
// API for the functions' binaries. Nothing of it talks to another machine, and nothing
// reads the environment.
package apptest

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/report"
)

// AuthSecret signs the logins of test apps.
const AuthSecret config.Secret = "a-secret-that-only-tests-sign-with"

// App is an app for one test.
type App struct {
	*function.App

	// Redis is the app's Redis. Its clock stands still, so that nothing expires by
	// chance: FastForward moves it. Close makes it one that is down.
	Redis *miniredis.Miniredis

	t       testing.TB
	log     *buffer
	reports *reports
}

// New returns an app that is closed at the end of the test. The settings may be
// changed before the app begins. Reports are sent at once, as on Lambda, so that they
// are there as soon as the answer is. What was logged shows up if the test fails.
func New(t testing.TB, change ...func(*config.Config)) *App {
	t.Helper()
	a := &App{Redis: Redis(t), t: t, log: &buffer{}, reports: newReports(t)}
	c := config.Config{
		Addr:                "127.0.0.1:0",
		DatabaseURL:         DatabaseURL(t),
		RedisURL:            config.Secret("redis://" + a.Redis.Addr()),
		HoneybadgerAPIKey:   "hbp_of_the_tests",
		HoneybadgerEndpoint: a.reports.url,
		Environment:         "test",
		AuthSecrets:         []config.Secret{AuthSecret},
		LogLevel:            slog.LevelDebug,
		LogFormat:           "json",
		CatfactsURL:         "http://127.0.0.1:1", // nobody listens there
	}
	for _, f := range change {
		f(&c)
	}
	a.App = function.New(c, a.log)
	a.Report = report.New(report.Options{
		APIKey: c.HoneybadgerAPIKey, Endpoint: c.HoneybadgerEndpoint, Environment: c.Environment,
		Sync: true, Timeout: 5 * time.Second, Log: a.Log, Secrets: c.Secrets(),
	})
	t.Cleanup(a.end)
	return a
}

func (a *App) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := a.Close(ctx); err != nil {
		a.t.Errorf("close the test app: %v", err)
	}
	if a.t.Failed() {
		a.t.Logf("the app has logged:\n%s", a.log.bytes())
	}
}

// Serve serves a function on loopback for the length of the test, and returns its
// URL, without a slash at the end.
func (a *App) Serve(f function.Function) string {
	a.t.Helper()
	h, err := f.Handler(a.App)
	if err != nil {
		a.t.Fatal(err)
	}
	s := httptest.NewServer(h)
	a.t.Cleanup(s.Close)
	return s.URL
}

// Token returns a token that the app takes for a login of the user.
func (a *App) Token(user string) string {
	a.t.Helper()
	token, err := auth.Mint(a.Config, user, time.Hour)
	if err != nil {
		a.t.Fatal(err)
	}
	return token
}

// Reports returns what has been reported so far, the first one first.
func (a *App) Reports() []Report {
	a.t.Helper()
	return a.reports.all(a.t)
}

// Logs returns the lines logged so far, each with its attributes.
func (a *App) Logs() []map[string]any {
	a.t.Helper()
	var lines []map[string]any
	for text := range bytes.Lines(a.log.bytes()) {
		var line map[string]any
		if err := json.Unmarshal(text, &line); err != nil {
			a.t.Fatalf("a log line that is not JSON: %v: %s", err, text)
		}
		lines = append(lines, line)
	}
	return lines
}

// buffer is a log that may be read while it is written to.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buf.Bytes())
}
