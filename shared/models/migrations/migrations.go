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
	"slices"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
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
// Each migration is applied whole or not at all; the first that fails ends it. Two
// at once do not get in each other's way: each migration is applied by one of them.
func Up(ctx context.Context, db *gorm.DB) ([]Migration, error) {
	p, err := provider(db)
	if err != nil {
		return nil, err
	}
	var applied []Migration
	for {
		results, err := p.Up(ctx)
		if err == nil {
			return append(applied, done(results)...), nil
		}
		partial, ok := errors.AsType[*goose.PartialError](err)
		if ok {
			applied = append(applied, done(partial.Applied)...)
		}
		if !ok || !overtaken(ctx, p, partial.Failed) {
			return applied, fmt.Errorf("migrate up: %w", err)
		}
	}
}

// overtaken tells whether a migration failed since another process had just applied
// it. Postgres has a lock against that, SQLite has none.
func overtaken(ctx context.Context, p *goose.Provider, failed *goose.MigrationResult) bool {
	if failed == nil {
		return false
	}
	states, err := p.Status(ctx)
	return err == nil && slices.ContainsFunc(states, func(s *goose.MigrationStatus) bool {
		return s.Source.Version == failed.Source.Version && s.State == goose.StateApplied
	})
}

// Down takes the newest applied migration back, and returns it; nil where none is.
func Down(ctx context.Context, db *gorm.DB) (*Migration, error) {
	p, err := provider(db)
	if err != nil {
		return nil, err
	}
	result, err := p.Down(ctx)
	switch {
	case errors.Is(err, goose.ErrNoNextVersion):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("migrate down: %w", err)
	}
	return &done([]*goose.MigrationResult{result})[0], nil
}

// Status tells each migration, the oldest first, and whether it is applied.
func Status(ctx context.Context, db *gorm.DB) ([]Migration, error) {
	p, err := provider(db)
	if err != nil {
		return nil, err
	}
	states, err := p.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("migration status: %w", err)
	}
	all := make([]Migration, 0, len(states))
	for _, s := range states {
		all = append(all, Migration{
			Version: s.Source.Version, Name: path.Base(s.Source.Path),
			Applied: s.State == goose.StateApplied, AppliedAt: s.AppliedAt.UTC(),
		})
	}
	return all, nil
}

// Behind returns how many migrations the database lacks.
func Behind(ctx context.Context, db *gorm.DB) (int, error) {
	all, err := Status(ctx, db)
	n := 0
	for _, m := range all {
		if !m.Applied {
			n++
		}
	}
	return n, err
}

func provider(db *gorm.DB) (*goose.Provider, error) {
	pool, err := db.DB()
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	dialect := database.Dialect(db)
	folder, err := fs.Sub(files, dialect)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithTableName("migrations")}
	kind := goose.DialectSQLite3
	if dialect == database.Postgres {
		kind = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return nil, fmt.Errorf("migrations: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(kind, pool, folder, options...)
	if err != nil {
		return nil, fmt.Errorf("migrations: %w", err)
	}
	return p, nil
}

func done(results []*goose.MigrationResult) []Migration {
	all := make([]Migration, 0, len(results))
	for _, r := range results {
		all = append(all, Migration{Version: r.Source.Version, Name: path.Base(r.Source.Path), Applied: r.Direction == "up"})
	}
	return all
}
