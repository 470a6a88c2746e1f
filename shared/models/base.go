// Package models holds the tables, one file a table, and the helpers to query and
// change them.
package models

import "time"

// Base is what every table begins with; a model embeds it.
type Base struct {
	ID        int64 `gorm:"primaryKey"`
	CreatedAt time.Time
	UpdatedAt time.Time
}
