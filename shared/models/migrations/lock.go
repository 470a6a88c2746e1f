package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/database"
)

// advisoryLock is the number of the lock among Postgres' advisory ones: "tandem" as
// bytes. Each database has its own.
const advisoryLock = 0x74616e64656d

// patience is how long the lock is waited for without a word.
const patience = 2 * time.Second

// locked runs do while no other process migrates the database. The lock ends with the
// process, however that ends.
func locked(ctx context.Context, db *gorm.DB, do func() error) error {
	return lockedAfter(ctx, db, patience, do)
}

func lockedAfter(ctx context.Context, db *gorm.DB, patience time.Duration, do func() error) error {
	lock := lockSQLite
	if database.Dialect(db) == database.Postgres {
		lock = lockPostgres
	}
	pool, err := db.DB()
	if err != nil {
		return err
	}
	word := time.AfterFunc(patience, func() {
		db.Logger.Warn(ctx, "waiting: another process migrates the database")
	})
	unlock, err := lock(ctx, pool)
	word.Stop()
	if err != nil {
		return fmt.Errorf("wait for the lock: %w", err)
	}
	return errors.Join(do(), unlock())
}

func lockPostgres(ctx context.Context, pool *sql.DB) (unlock func() error, err error) {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", advisoryLock); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() error {
		// The caller's context may have ended; the connection goes back to the pool.
		_, err := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", advisoryLock)
		return errors.Join(err, conn.Close())
	}, nil
}

// lockSQLite takes the lock of an empty database beside the real one, whose own lock
// must stay free for the migrations' transactions. A database in memory has only us.
func lockSQLite(ctx context.Context, pool *sql.DB) (unlock func() error, err error) {
	var file string
	if err := pool.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(&file); err != nil {
		return nil, err
	}
	if file == "" {
		return func() error { return nil }, nil
	}
	lock, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file + "-migrating"}).EscapedPath()+"?_pragma=busy_timeout(0)")
	if err != nil {
		return nil, err
	}
	lock.SetMaxOpenConns(1)
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		// The connection keeps the lock until it is closed.
		_, err := lock.ExecContext(ctx, "BEGIN EXCLUSIVE")
		if err == nil {
			return lock.Close, nil
		}
		if !database.Busy(err) {
			return nil, errors.Join(err, lock.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), lock.Close())
		case <-retry.C:
		}
	}
}
