package models

// User is a person who may log in.
type User struct {
	Base
	Name string `gorm:"not null;uniqueIndex"`
}

// Users is the table of the users.
var Users = Model[User]{}
