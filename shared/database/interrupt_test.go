package database_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
)

// endless takes minutes. Its result is one row, or all of its numbers.
const endless = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT i FROM n) numbers"

func TestAStatementEndsWithItsContext(t *testing.T) {
	statements := map[string]func(db *gorm.DB) error{
		"a read that has no row yet": func(db *gorm.DB) error {
			return db.Raw("SELECT count(*) FROM " + endless).Scan(new(int)).Error
		},
		"a read of many rows": func(db *gorm.DB) error {
			rows, err := db.Raw("SELECT i FROM " + endless + " WHERE i < 3 OR i > 999999999").Rows()
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
			}
			return rows.Err()
		},
		"a write": func(db *gorm.DB) error {
			return db.Exec("INSERT INTO t SELECT count(*) FROM " + endless).Error
		},
		"a write that tells rows": func(db *gorm.DB) error {
			return db.Raw("INSERT INTO t SELECT count(*) FROM " + endless + " RETURNING a").Scan(new(int)).Error
		},
		"a prepared read": func(db *gorm.DB) error {
			return db.Session(&gorm.Session{PrepareStmt: true}).Raw("SELECT count(*) FROM " + endless).Scan(new(int)).Error
		},
		"a transaction": func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error {
				return tx.Raw("SELECT count(*) FROM " + endless).Scan(new(int)).Error
			})
		},
	}
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		exec(t, db, "CREATE TABLE t (a int)")
		for name, run := range statements {
			t.Run(name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				start := time.Now()
				err := run(db.WithContext(ctx))
				if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took > 5*time.Second {
					t.Errorf("%v after %v", err, took)
				}
				if n := scan[int](t, db, "SELECT count(*) FROM t"); n != 0 {
					t.Errorf("%d rows were written", n)
				}
			})
		}
	})
}

// An interrupt must not meet the next statement of the connection, whenever it comes.
func TestAnInterruptIsForItsOwnStatement(t *testing.T) {
	db := apptest.OpenDatabase(t, "sqlite::memory:")
	const short = "SELECT sum(i) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) SELECT i FROM n) numbers"
	var ended int
	for range 2000 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.Int64N(int64(400*time.Microsecond))))
		var sum int
		err := db.WithContext(ctx).Raw(short).Scan(&sum).Error
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			ended++
		case err != nil || sum != 300*301/2:
			t.Errorf("%d, %v", sum, err)
		}
		if sum := scan[int](t, db, short); sum != 300*301/2 {
			t.Fatalf("the next statement found %d", sum)
		}
		cancel()
	}
	if ended == 0 {
		t.Error("no statement was interrupted")
	}
}

// One that has ended is not begun at all, and an idle one of a transaction is not in the
// way of the others.
func TestAnInterruptIsForTheStatementAtWork(t *testing.T) {
	db := apptest.OpenDatabase(t, "sqlite::memory:")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := database.Transaction(t.Context(), db, func(tx *gorm.DB) error {
		rows, err := tx.WithContext(ctx).Raw("SELECT i FROM " + endless).Rows()
		if err != nil {
			return err
		}
		defer rows.Close()
		if !rows.Next() {
			return fmt.Errorf("no row: %w", rows.Err())
		}
		cancel()
		if n := scan[int](t, tx, "SELECT 7"); n != 7 {
			t.Errorf("%d", n)
		}
		if rows.Next() || !errors.Is(rows.Err(), context.Canceled) {
			t.Errorf("another row after the context's end: %v", rows.Err())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
