package models

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// Model is a table whose rows are T. It holds no connection: what reads or writes
// takes the database that database.Of gave, or a transaction of it.
type Model[T any] struct{}

// Count returns the number of rows.
func (m Model[T]) Count(ctx context.Context, db *gorm.DB) (int64, error) {
	var n int64
	if err := db.WithContext(ctx).Model(new(T)).Count(&n).Error; err != nil {
		return 0, fmt.Errorf("count %T: %w", *new(T), err)
	}
	return n, nil
}
