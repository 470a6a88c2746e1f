// Package migrations brings a database to the schema that the models expect. The
// files are SQL, one folder a dialect, and travel in the binary. Functions never
// import this package: a cold start must not pay for it.
package migrations

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/pressly/goose/v3"
	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/database"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// Migration is one step of the schema, and what the database has of it.
type Migration struct {
	Version int64
	Name    string // the file's name
	Applied bool
	// AppliedAt is in UTC, and zero where it is not applied.
	AppliedAt time.Time
}

// Up applies what the database lacks, the oldest first, and returns what it applied.
// Each migration is applied whole or not at all; the first that fails ends it. Of two
// at once, the second waits for the first, as long as its context allows.
func Up(ctx context.Context, db *gorm.DB) (applied []Migration, err error) {
	err = with(ctx, db, files, func(p *goose.Provider) error {
		results, err := p.Up(ctx)
		if partial, ok := errors.AsType[*goose.PartialError](err); ok {
			results = partial.Applied
		}
		applied = done(results)
		return err
	})
	if err != nil {
		return applied, fmt.Errorf("migrate up: %w", err)
	}
	return applied, nil
}

// NewerError says that a newer program has migrated the database.
type NewerError struct{ Database, Program int64 }

func (e *NewerError) Error() string {
	return fmt.Sprintf("the database is at %d, this program knows %d", e.Database, e.Program)
}

func known(ctx context.Context, p *goose.Provider) error {
	current, newest, err := p.GetVersions(ctx)
	if err == nil && current > newest {
		return &NewerError{current, newest}
	}
	return err
}

// Down takes the newest applied migration back, and returns it; nil where none is. The
// error is a NewerError where it is not known here.
func Down(ctx context.Context, db *gorm.DB) (undone *Migration, err error) {
	err = with(ctx, db, files, func(p *goose.Provider) error {
		if err := known(ctx, p); err != nil {
			return err
		}
		result, err := p.Down(ctx)
		if err == nil {
			undone = &done([]*goose.MigrationResult{result})[0]
		}
		return err
	})
	if err != nil && !errors.Is(err, goose.ErrNoNextVersion) {
		return nil, fmt.Errorf("migrate down: %w", err)
	}
	return undone, nil
}

// Status tells each migration, the oldest first, and whether it is applied. It waits
// for one that runs. With a NewerError they are all that are known here.
func Status(ctx context.Context, db *gorm.DB) (all []Migration, err error) {
	err = with(ctx, db, files, func(p *goose.Provider) error {
		states, err := p.Status(ctx)
		for _, s := range states {
			all = append(all, Migration{
				Version: s.Source.Version, Name: path.Base(s.Source.Path),
				Applied: s.State == goose.StateApplied, AppliedAt: s.AppliedAt.UTC(),
			})
		}
		if err != nil {
			return err
		}
		return known(ctx, p)
	})
	if err != nil {
		return all, fmt.Errorf("migration status: %w", err)
	}
	return all, nil
}

// Behind returns how many migrations the database lacks. One that is ahead lacks none:
// what is of before the migration serves on beside it.
func Behind(ctx context.Context, db *gorm.DB) (int, error) {
	all, err := Status(ctx, db)
	if _, newer := errors.AsType[*NewerError](err); newer {
		err = nil
	}
	n := 0
	for _, m := range all {
		if !m.Applied {
			n++
		}
	}
	return n, err
}

// with runs do with the migrations of the database's dialect, under the lock.
func with(ctx context.Context, db *gorm.DB, files fs.FS, do func(p *goose.Provider) error) error {
	p, err := provider(db, files)
	if err != nil {
		return err
	}
	return locked(ctx, db, func() error { return do(p) })
}

func provider(db *gorm.DB, files fs.FS) (*goose.Provider, error) {
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	dialect := database.Dialect(db)
	folder, err := fs.Sub(files, dialect)
	if err != nil {
		return nil, err
	}
	kind := goose.DialectSQLite3
	if dialect == database.Postgres {
		kind = goose.DialectPostgres
	}
	return goose.NewProvider(kind, pool, folder, goose.WithDisableGlobalRegistry(true), goose.WithTableName("migrations"))
}

func done(results []*goose.MigrationResult) []Migration {
	all := make([]Migration, 0, len(results))
	for _, r := range results {
		all = append(all, Migration{Version: r.Source.Version, Name: path.Base(r.Source.Path), Applied: r.Direction == "up"})
	}
	return all
}
