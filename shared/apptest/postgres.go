package apptest

import (
	"cmp"
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tandem-api/tandem/shared/apptest/loopback"
	"github.com/tandem-api/tandem/shared/config"
)

//go:embed postgres.sh
var postgresScript string

// EachDatabase runs the test on SQLite and on Postgres, each with a database of its
// own, migrated and empty. Without Postgres on the machine that half is skipped,
// but fails where CI is "true".
func EachDatabase(t *testing.T, test func(t *testing.T, databaseURL config.Secret)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, DatabaseURL(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, PostgresURL(t)) })
}

// PostgresURL returns the DATABASE_URL of a Postgres database of the test's own,
// migrated and empty, which is gone after the test. The server is the one that
// TEST_POSTGRES_URL names (as a user who may create databases), else one that runs as
// long as the test process. Without either the test is skipped, but fails where CI is
// "true".
func PostgresURL(t testing.TB) config.Secret {
	t.Helper()
	s, err := postgresServer()
	if errors.Is(err, errNoPostgres) && os.Getenv("CI") != "true" {
		t.Skipf("SKIPPED, and nothing is known about Postgres: %v", err)
	}
	if err != nil {
		t.Fatalf("Postgres for the tests: %v", err)
	}
	name, err := s.create(t.Context())
	if err != nil {
		t.Fatalf("create a Postgres database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := s.drop(name); err != nil {
			t.Errorf("drop the test's Postgres database: %v", err)
		}
	})
	return s.database(name)
}

var errNoPostgres = errors.New("no Postgres on this machine: install it (apt-get install postgresql) or set TEST_POSTGRES_URL")

// postgresServer starts the server at the first call, for the whole process.
var postgresServer = sync.OnceValues(func() (*postgres, error) {
	s := &postgres{template: fmt.Sprintf("tandem_template_%d", os.Getpid())}
	var err error
	if given := os.Getenv("TEST_POSTGRES_URL"); given != "" {
		s.url, err = url.Parse(given)
	} else {
		s.url, err = startPostgres()
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	return s, s.prepare(ctx)
})

// postgres is a server, and the name of a migrated database on it from which those of
// the tests are copied.
type postgres struct {
	url      *url.URL
	pool     *sql.DB
	template string

	mu sync.Mutex // a template can be copied once at a time
	n  int
}

func (s *postgres) database(name string) config.Secret {
	u := *s.url
	u.Path = "/" + name
	return config.Secret(u.String())
}

// connect waits until the server answers.
func (s *postgres) connect(ctx context.Context) error {
	c, err := pgx.ParseConfig(s.url.String())
	if err != nil {
		return fmt.Errorf("TEST_POSTGRES_URL: %w", err)
	}
	s.pool = stdlib.OpenDB(*c)
	s.pool.SetMaxIdleConns(1)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if err = s.pool.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-tick.C:
		}
	}
}

// prepare makes the template. On a server that outlives the process, one that a
// process of the same number left is in the way.
func (s *postgres) prepare(ctx context.Context) error {
	for _, statement := range []string{"DROP DATABASE IF EXISTS ", "CREATE DATABASE "} {
		if _, err := s.pool.ExecContext(ctx, statement+s.template); err != nil {
			return err
		}
	}
	return migrated(ctx, s.database(s.template))
}

func (s *postgres) create(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	name := fmt.Sprintf("tandem_test_%d_%d", os.Getpid(), s.n)
	_, err := s.pool.ExecContext(ctx, "CREATE DATABASE "+name+" TEMPLATE "+s.template)
	return name, err
}

func (s *postgres) drop(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := s.pool.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	return err
}

// startPostgres starts a server on a free port of loopback. Postgres refuses to run
// as root, so root lends it the user postgres.
func startPostgres() (*url.URL, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	number, _, err := loopback.Reserve(0) // for as long as this process runs
	if err != nil {
		return nil, err
	}
	port := strconv.Itoa(number)
	cert, key, err := selfSigned()
	if err != nil {
		return nil, err
	}
	args := []string{"sh", "-c", postgresScript}
	if os.Geteuid() == 0 {
		args = append([]string{"runuser", "-u", "postgres", "--"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(), "BIN="+bin, "PORT="+port, "CERT="+cert, "KEY="+key)
	cmd.Stderr = os.Stderr
	// The write end is kept open and never written to: the script ends with us.
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start Postgres: %w", err)
	}
	go func() { _ = cmd.Wait() }()
	return &url.URL{Scheme: "postgres", User: url.User("tandem"), Host: "127.0.0.1:" + port, Path: "/postgres"}, nil
}

// postgresPrograms finds the folder of initdb and postgres: that of the newest of
// Debian's, else the one on the PATH.
func postgresPrograms() (string, error) {
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(all) > 0 {
		return filepath.Dir(slices.MaxFunc(all, func(a, b string) int {
			return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
		})), nil
	}
	found, err := exec.LookPath("initdb")
	if err != nil {
		return "", errNoPostgres
	}
	return filepath.Dir(found), nil
}
