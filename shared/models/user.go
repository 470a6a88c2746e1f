package models

// Role is what a user may do.
type Role string

// The roles.
const (
	RoleUser  Role = "user"  // changes what is its own
	RoleAdmin Role = "admin" // changes everything
)

// User is a person who may log in.
type User struct {
	Base
	Name string `gorm:"uniqueIndex" model:"show" json:"name"`
	Role Role   `gorm:"default:user" json:"role"`
	// PasswordHash is of argon2id, and empty for one who cannot log in.
	PasswordHash string `model:"private" json:"-"`

	Posts    []Post    `gorm:"foreignKey:AuthorID" json:"posts,omitempty"`
	Comments []Comment `gorm:"foreignKey:AuthorID" json:"comments,omitempty"`
}

// Users is the table of the users.
var Users = Define[User]()

func (u User) String() string { return Users.Describe(&u) }
