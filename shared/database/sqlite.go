package database

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "github.com/glebarez/go-sqlite" // required beside the dialect for the current SQLite
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/function"
)

// memory is the path of a database that lives in the process, for tests.
const memory = ":memory:"

// sqliteDSN returns the driver's name for the file. The write-ahead log lets others
// read while one writes; a transaction takes the write lock as it begins, since one
// that reads first and writes later fails whenever another wrote in between.
func sqliteDSN(path string) string {
	query := url.Values{
		"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)"},
		"_txlock": {"immediate"},
	}
	if path == memory {
		return path + "?" + query.Encode()
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
}

func openSQLite(app *function.App, path string) (*gorm.DB, error) {
	if path != memory {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, fmt.Errorf("DATABASE_URL: the folder of the SQLite file: %w", err)
		}
	}
	db, err := gorm.Open(sqlite.Open(sqliteDSN(path)), gormConfig(app))
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: SQLite file %s: %w", path, err)
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	// SQLite has one writer at a time: waiting for it here is fairer and faster than
	// in SQLite's own retry. A database in memory lives as long as its connection.
	pool.SetMaxOpenConns(1)
	return db, nil
}
