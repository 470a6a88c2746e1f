// Package models holds the tables, one file a table, and the helpers to query and
// change them: see Model and Query. A model is a struct that embeds Base, and a value
// of Model for it:
//
//	type User struct {
//		Base
//		Name  string `model:"show"`
//		Posts []Post `gorm:"foreignKey:AuthorID"`
//	}
//
//	var Users = Define[User]()
//
//	page, err := models.Users.Where("posts___title__icontains", "go").
//		Sort("-created_at", "name").With("posts.comments").Page(ctx, db, cursor, 20)
//
// Fields and relations go by their names in the database, in small letters. The
// tag model:"private" keeps a field out of everything that is shown; model:"show" puts
// it into String. docs/models.md tells it all with examples.
package models

import "sync"

// Model is a table whose rows are T, and at once the query for all of them. It holds
// no connection: what reads or writes takes the database that database.Of gave, or a
// transaction of it. It never changes, so it is safe for use by many at once.
type Model[T any] struct{ Query[T] }

// Define makes a Model of a struct that embeds Base. The struct is read at the first
// use, not here: a cold start does not pay for models that it does not need. A fault
// in it is the error of every call.
func Define[T any]() Model[T] {
	return Model[T]{Query[T]{table: sync.OnceValues(func() (*table, error) { return parse(new(T)) })}}
}
