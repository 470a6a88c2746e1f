package models

// Comment is what a user has to say to a post.
type Comment struct {
	Base
	PostID   int64  `gorm:"index:idx_comments_post_id" json:"post_id"`
	AuthorID int64  `gorm:"index:idx_comments_author_id" json:"author_id"`
	Body     string `model:"show" json:"body"`

	Post   *Post `json:"post,omitempty"`
	Author *User `json:"author,omitempty"`
}

// Comments is the table of the comments.
var Comments = Define[Comment]()

func (c Comment) String() string { return Comments.Describe(&c) }
