package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/glebarez/sqlite"
	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/function"
)

// memory is the path of a database that lives in the process, for tests. It has one
// connection, so inside a transaction only the transaction may be used.
const memory = ":memory:"

// sqliteDSN returns the driver's name for the file. The write-ahead log lets others
// read while one writes. The busy time-out comes first, since setting the others
// may have to wait for another process.
func sqliteDSN(path string, extra url.Values) string {
	query := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)"}}
	for key, values := range extra {
		query[key] = append(query[key], values...)
	}
	if path == memory {
		return path + "?" + query.Encode()
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
}

// A transaction takes the write lock as it begins: one that reads first and writes
// later fails whenever another process wrote in between.
var writing = url.Values{"_txlock": {"immediate"}}

// A reader that would write is a fault of ours: SQLite refuses it.
var reading = url.Values{"_pragma": {"query_only(1)"}}

func openSQLite(app *function.App, path string) (*gorm.DB, error) {
	if path != memory {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, fmt.Errorf("DATABASE_URL: the folder of the SQLite file: %w", err)
		}
	}
	pool, err := newSQLitePool(path)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: SQLite file %s: %w", path, err)
	}
	db, err := gorm.Open(sqlite.Dialector{Conn: pool}, gormConfig(app))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("DATABASE_URL: SQLite file %s: %w", path, err), pool.Close())
	}
	return db, nil
}

// sqlitePool keeps one connection that writes and a few that read. SQLite has one
// writer at a time anyway: waiting for it in the pool is fair, and faster than
// SQLite's own retries. Readers of their own answer while it is taken, and a slow
// read holds up nobody.
type sqlitePool struct{ write, read *sql.DB }

func newSQLitePool(path string) (*sqlitePool, error) {
	write := sql.OpenDB(connector{sqliteDSN(path, writing)})
	write.SetMaxOpenConns(1)
	p := &sqlitePool{write: write, read: write}
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	// The writer goes first: it creates the file, and what is no database shows.
	if err := connect(ctx, write); err != nil {
		return nil, errors.Join(err, write.Close())
	}
	if path == memory {
		return p, nil
	}
	p.read = sql.OpenDB(connector{sqliteDSN(path, reading)})
	readers := max(2, runtime.NumCPU())
	p.read.SetMaxOpenConns(readers)
	p.read.SetMaxIdleConns(readers)
	return p, nil
}

// connect makes the first connection. Of several processes that turn a new file to the
// write-ahead log at once, SQLite refuses all but one without waiting for the busy
// time-out (it would be a deadlock): the others come back a little later.
func connect(ctx context.Context, pool *sql.DB) error {
	const later = 20 * time.Millisecond
	for {
		_, err := pool.ExecContext(ctx, "PRAGMA user_version")
		if !Busy(err) {
			return err
		}
		select {
		case <-time.After(later):
		case <-ctx.Done():
			return err
		}
	}
}

// of returns the pool for a statement. Only a plain SELECT is a read: INSERT …
// RETURNING answers with rows too.
func (p *sqlitePool) of(statement string) *sql.DB {
	const verb = "SELECT "
	if len(statement) > len(verb) && strings.EqualFold(statement[:len(verb)], verb) {
		return p.read
	}
	return p.write
}

// PrepareContext, ExecContext, QueryContext and QueryRowContext are what gorm asks
// of a pool.
func (p *sqlitePool) PrepareContext(ctx context.Context, statement string) (*sql.Stmt, error) {
	return p.of(statement).PrepareContext(ctx, statement)
}

func (p *sqlitePool) ExecContext(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	return p.write.ExecContext(ctx, statement, args...)
}

func (p *sqlitePool) QueryContext(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	return p.of(statement).QueryContext(ctx, statement, args...)
}

func (p *sqlitePool) QueryRowContext(ctx context.Context, statement string, args ...any) *sql.Row {
	return p.of(statement).QueryRowContext(ctx, statement, args...)
}

// BeginTx begins a transaction, with the write lock unless it is to read only.
func (p *sqlitePool) BeginTx(ctx context.Context, o *sql.TxOptions) (*sql.Tx, error) {
	if o != nil && o.ReadOnly {
		return p.read.BeginTx(ctx, nil) // the driver knows no options
	}
	return p.write.BeginTx(ctx, nil)
}

// GetDBConn gives gorm's DB() the writer.
func (p *sqlitePool) GetDBConn() (*sql.DB, error) { return p.write, nil }

func (p *sqlitePool) Close() error {
	if p.read == p.write {
		return p.write.Close()
	}
	// The writer last: it takes the log back into the file.
	return errors.Join(p.read.Close(), p.write.Close())
}
