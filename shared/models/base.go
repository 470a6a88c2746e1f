package models

import (
	"reflect"
	"time"

	"gorm.io/gorm/clause"
)

// Base is what every table begins with; a model embeds it. The helpers set all of it.
type Base struct {
	ID        int64     `gorm:"primaryKey" json:"id"`
	CreatedAt time.Time `json:"created_at"` // in UTC, to the microsecond
	UpdatedAt time.Time `json:"updated_at"`
}

// base returns the Base of a row, a pointer to a struct.
func (t *table) base(row any) *Base {
	return reflect.ValueOf(row).Elem().FieldByIndex(t.baseAt).Addr().Interface().(*Base)
}

var idColumn = clause.Column{Table: clause.CurrentTable, Name: keyColumn}

func byID(id int64) clause.Expression { return clause.Eq{Column: idColumn, Value: id} }
