package models

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"gorm.io/gorm"

	"github.com/tandem-api/tandem/shared/database"
)

// Find returns the row with that id, and whether there is one that meets the query.
func (q Query[T]) Find(ctx context.Context, db *gorm.DB, id int64) (row T, found bool, err error) {
	if len(q.where)+len(q.with)+len(q.joined) > 0 || q.lock {
		return q.Sort().Where(keyColumn, id).First(ctx, db)
	}
	err = db.WithContext(ctx).Clauses(byID(id)).Take(&row).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return row, false, nil
	case err != nil:
		return row, false, fmt.Errorf("find %s %d: %w", reflect.TypeFor[T]().Name(), id, err)
	}
	return row, true, nil
}

// FindOrFail returns the row with that id, or an error that is ErrNotFound.
func (q Query[T]) FindOrFail(ctx context.Context, db *gorm.DB, id int64) (T, error) {
	row, found, err := q.Find(ctx, db, id)
	if err == nil && !found {
		err = notFound[T](id)
	}
	return row, err
}

func notFound[T any](id int64) error {
	return fmt.Errorf("%s %d: %w", reflect.TypeFor[T]().Name(), id, ErrNotFound)
}

// All returns the rows.
func (q Query[T]) All(ctx context.Context, db *gorm.DB) ([]T, error) {
	p, err := q.plan(database.Dialect(db))
	if err != nil {
		return nil, err
	}
	return fetch[T](ctx, db, p, nil, 0)
}

// First returns the first row, and whether there is one.
func (q Query[T]) First(ctx context.Context, db *gorm.DB) (row T, found bool, err error) {
	p, err := q.plan(database.Dialect(db))
	if err != nil {
		return row, false, err
	}
	rows, err := fetch[T](ctx, db, p, nil, 1)
	if err != nil || len(rows) == 0 {
		return row, false, err
	}
	return rows[0], true, nil
}

// FirstOrFail returns the first row, or an error that is ErrNotFound.
func (q Query[T]) FirstOrFail(ctx context.Context, db *gorm.DB) (T, error) {
	row, found, err := q.First(ctx, db)
	if err == nil && !found {
		err = fmt.Errorf("%s: %w", reflect.TypeFor[T]().Name(), ErrNotFound)
	}
	return row, err
}

// Count returns the number of rows.
func (q Query[T]) Count(ctx context.Context, db *gorm.DB) (int64, error) {
	q.sort, q.with, q.joined = nil, nil, nil
	q.lock = false // Postgres refuses it here, where there is no row to keep
	p, err := q.plan(database.Dialect(db))
	if err != nil {
		return 0, err
	}
	var n int64
	if err := p.apply(db.WithContext(ctx).Model(new(T)), nil).Count(&n).Error; err != nil {
		return 0, fmt.Errorf("count %s: %w", p.table.name, err)
	}
	return n, nil
}

// Exists tells whether there is any row.
func (q Query[T]) Exists(ctx context.Context, db *gorm.DB) (bool, error) {
	q.sort, q.with, q.joined = nil, nil, nil
	p, err := q.plan(database.Dialect(db))
	if err != nil {
		return false, err
	}
	var one int
	tx := p.apply(db.WithContext(ctx).Model(new(T)), nil)
	err = tx.Select("1").Limit(1).Scan(&one).Error
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		return false, fmt.Errorf("look for %s: %w", p.table.name, err)
	}
	return one == 1, nil
}
