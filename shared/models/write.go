package models

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/tandem-api/tandem/shared/database"
)

// Create inserts the row, and gives it its id and times. Its relations are not stored
// with it. A taken value is a *ConflictError, a relation to nothing a *ReferenceError;
// the row is then as it was.
func (m Model[T]) Create(ctx context.Context, db *gorm.DB, row *T) error {
	t, err := m.table()
	if err != nil {
		return err
	}
	next := *row
	base := t.base(&next)
	if base.ID != 0 {
		return &Error{Kind: WrongValue, Model: t.model, Path: keyColumn, Name: keyColumn, Reason: "a new row has no id yet"}
	}
	if _, err := t.values(ctx, &next, func(c *column) bool { return !c.managed() }); err != nil {
		return err
	}
	base.CreatedAt, base.UpdatedAt = time.Time{}, time.Time{} // gorm stamps what is zero
	if err := db.WithContext(ctx).Omit(clause.Associations).Create(&next).Error; err != nil {
		return t.refused("create "+t.model, err)
	}
	*row = next
	return nil
}

// Save writes the whole row: an update of the one with its id, which must be there, or
// an insert where it has no id yet.
func (m Model[T]) Save(ctx context.Context, db *gorm.DB, row *T) error {
	t, err := m.table()
	if err != nil {
		return err
	}
	if t.base(row).ID == 0 {
		return m.Create(ctx, db, row)
	}
	next := *row
	values, err := t.values(ctx, &next, func(c *column) bool { return !c.managed() })
	if err != nil {
		return err
	}
	return store(ctx, db, t, row, &next, values)
}

// Update sets fields of the row as Fill does, and writes these alone. The row changes in
// memory only if it did in the database. Without any field nothing is done.
func (m Model[T]) Update(ctx context.Context, db *gorm.DB, row *T, fields Fields) error {
	t, err := m.table()
	if err != nil || len(fields) == 0 {
		return err
	}
	next := *row
	if err := t.fill(&next, fields); err != nil {
		return err
	}
	values, err := t.values(ctx, &next, func(c *column) bool { _, ok := fields[c.name]; return ok })
	if err != nil {
		return err
	}
	return store(ctx, db, t, row, &next, values)
}

// store updates the row of next with the values, and makes it *row.
func store[T any](ctx context.Context, db *gorm.DB, t *table, row, next *T, values map[string]any) error {
	base := t.base(next)
	base.UpdatedAt = storedTime(db.NowFunc())
	values[updatedColumn] = base.UpdatedAt
	tx := db.WithContext(ctx).Model(new(T)).Clauses(byID(base.ID)).UpdateColumns(values)
	switch {
	case tx.Error != nil:
		return t.refused(fmt.Sprintf("update %s %d", t.model, base.ID), tx.Error)
	case tx.RowsAffected == 0:
		return notFound[T](base.ID)
	}
	*row = *next
	return nil
}

// Delete deletes the row, which must be there.
func (m Model[T]) Delete(ctx context.Context, db *gorm.DB, row *T) error {
	t, err := m.table()
	if err != nil {
		return err
	}
	id := t.base(row).ID
	n, err := m.Destroy(ctx, db, id)
	if err == nil && n == 0 {
		err = notFound[T](id)
	}
	return err
}

// Destroy deletes the rows with those ids, all or none of them, and returns how many
// there were.
func (m Model[T]) Destroy(ctx context.Context, db *gorm.DB, ids ...int64) (int64, error) {
	t, err := m.table()
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	destroy := func(tx *gorm.DB, chunk []any) (int64, error) {
		tx = tx.WithContext(ctx).Where(clause.IN{Column: idColumn, Values: chunk}).Delete(new(T))
		if tx.Error != nil {
			return 0, t.refused("delete "+t.model, tx.Error)
		}
		return tx.RowsAffected, nil
	}
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = id
	}
	if len(values) <= loadKeys {
		return destroy(db, values)
	}
	n := int64(0)
	err = database.Transaction(ctx, db, func(tx *gorm.DB) error {
		for chunk := range slices.Chunk(values, loadKeys) {
			more, err := destroy(tx, chunk)
			if err != nil {
				return err
			}
			n += more
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}
