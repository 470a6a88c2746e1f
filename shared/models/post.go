package models

import "time"

// Post is a text that a user wrote.
type Post struct {
	Base
	AuthorID int64  `gorm:"index:idx_posts_author_id" json:"author_id"`
	Title    string `model:"show" json:"title"`
	Body     string `json:"body"`
	// PublishedAt is nil for a draft, and in the future for a post that is to come.
	PublishedAt *time.Time `gorm:"index:idx_posts_published_at" json:"published_at"`

	Author   *User     `json:"author,omitempty"`
	Comments []Comment `json:"comments,omitempty"`
}

// Posts is the table of the posts.
var Posts = Define[Post]()

func (p Post) String() string { return Posts.Describe(&p) }
