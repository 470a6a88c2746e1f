package database

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/function"
)

func openPostgres(app *function.App) (*gorm.DB, error) {
	c, err := pgx.ParseConfig(app.Config.DatabaseURL.Reveal())
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err) // pgx leaves the password out
	}
	c.ConnectTimeout = connectTimeout
	c.RuntimeParams["timezone"] = "UTC"
	pool := stdlib.OpenDB(*c)
	if app.Config.Lambda != "" {
		// A process on Lambda answers one request at a time, and there may be
		// hundreds of them at one Postgres.
		pool.SetMaxOpenConns(2)
		pool.SetMaxIdleConns(1)
		pool.SetConnMaxLifetime(5 * time.Minute)
	} else {
		pool.SetMaxOpenConns(20)
		pool.SetMaxIdleConns(10)
		pool.SetConnMaxLifetime(30 * time.Minute)
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	if err := pool.PingContext(ctx); err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("DATABASE_URL: connect to Postgres: %w", err)
	}
	db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), gormConfig(app))
	if err != nil {
		_ = pool.Close()
		return nil, fmt.Errorf("DATABASE_URL: Postgres: %w", err)
	}
	return db, nil
}
