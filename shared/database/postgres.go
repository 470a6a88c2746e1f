package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

func openPostgres(app *function.App) (*gorm.DB, error) {
	c, err := postgresConfig(app.Config.DatabaseURL)
	if err != nil {
		return nil, err
	}
	pool := stdlib.OpenDB(*c, stdlib.OptionAfterConnect(timesInUTC))
	size(pool, app.Config.Lambda != "")
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	if err := pool.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("DATABASE_URL: %w", oneLine{err}), pool.Close())
	}
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), gormConfig(app))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("DATABASE_URL: Postgres: %w", err), pool.Close())
	}
	return db, nil
}

// postgresConfig reads the URL. Without an sslmode, a server on another machine must
// speak TLS; libpq's own default would fall back to plain text without a word.
func postgresConfig(secret config.Secret) (*pgx.ConnConfig, error) {
	u, err := url.Parse(secret.Reveal())
	if err != nil {
		return nil, errors.New("DATABASE_URL: not a URL of the form postgres://user:password@host:5432/database")
	}
	query := u.Query()
	if !query.Has("sslmode") && !local(u.Hostname()) {
		query.Set("sslmode", "require")
		u.RawQuery = query.Encode()
	}
	c, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err) // pgx leaves the password out
	}
	c.ConnectTimeout = connectTimeout
	c.RuntimeParams["timezone"] = "UTC"
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "tandem"
	}
	return c, nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "" || host == "localhost" || ip != nil && ip.IsLoopback()
}

// size limits the pool. A process on Lambda answers one request at a time, and there
// may be hundreds of them at one Postgres; its connections grow old while it is
// frozen.
func size(pool *sql.DB, lambda bool) {
	if lambda {
		pool.SetMaxOpenConns(2)
		pool.SetMaxIdleConns(1)
		pool.SetConnMaxIdleTime(time.Minute)
		pool.SetConnMaxLifetime(5 * time.Minute)
		return
	}
	pool.SetMaxOpenConns(20)
	pool.SetMaxIdleConns(10)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	pool.SetConnMaxLifetime(30 * time.Minute)
}

// timesInUTC makes pgx hand times over in UTC: the machine's own zone must not show
// in an answer.
func timesInUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// oneLine folds an error that has a line for each address and way that was tried.
type oneLine struct{ error }

func (e oneLine) Error() string {
	lines := strings.Split(e.error.Error(), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(slices.Compact(lines), " ")
}

func (e oneLine) Unwrap() error { return e.error }
