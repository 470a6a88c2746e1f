// Package database opens the database that DATABASE_URL names: SQLite or Postgres.
// Only this room and package models know gorm.
package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/function"
)

// The names of the dialects, as Dialect tells them.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// DB is a database, or a transaction of it: what package models reads from and writes
// to. It is gorm's own type, under a name that lets the other rooms do without gorm.
type DB = gorm.DB

// connectTimeout bounds the opening of a database: a request that needs one must
// not hang where the database does.
const connectTimeout = 3 * time.Second

var handle = function.Resource[*gorm.DB]{
	Name:  "database",
	Open:  open,
	Close: closePool,
}

// Of returns the App's database, connected at the first call and shared in the
// process. It is not migrated here: a function's cold start must not pay for that.
// The error names what is wrong and never shows a password.
func Of(app *function.App) (*gorm.DB, error) { return handle.Of(app) }

// Dialect tells which database db is: SQLite or Postgres.
func Dialect(db *gorm.DB) string { return db.Name() }

// Ping asks the database for an answer, and waits for it as long as ctx allows.
func Ping(ctx context.Context, db *gorm.DB) error {
	pool, err := db.DB()
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	if err := pool.PingContext(ctx); err != nil {
		return fmt.Errorf("ping the database: %w", err)
	}
	return nil
}

// Transaction runs do in one transaction: committed if it returns nil, else rolled
// back, and then the error is its own. All of do must use tx and not db: SQLite has
// one writer, which the transaction holds. The context's end rolls it back too.
func Transaction(ctx context.Context, db *gorm.DB, do func(tx *gorm.DB) error) error {
	return db.WithContext(ctx).Transaction(do)
}

func open(app *function.App) (*gorm.DB, error) {
	scheme, rest, _ := strings.Cut(app.Config.DatabaseURL.Reveal(), ":")
	switch scheme {
	case "sqlite":
		return openSQLite(app, rest)
	case "postgres", "postgresql":
		return openPostgres(app)
	}
	return nil, errors.New("DATABASE_URL must start with sqlite: or postgres://")
}

func closePool(db *gorm.DB) error {
	if pool, ok := db.ConnPool.(io.Closer); ok {
		return pool.Close()
	}
	return nil
}

// now is what gorm stamps rows with: UTC, and no finer than Postgres keeps, so that
// a value is the same before and after it was stored.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func gormConfig(app *function.App) *gorm.Config {
	return &gorm.Config{
		NowFunc: now,
		Logger:  sqlLog{app.Log},
		// A single statement is whole by itself; what takes several says so with a
		// transaction of its own.
		SkipDefaultTransaction: true,
		// The pool is pinged here, with a time-out.
		DisableAutomaticPing: true,
	}
}
