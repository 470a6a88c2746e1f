-- +goose Up
CREATE TABLE comments (
    id         integer  PRIMARY KEY AUTOINCREMENT,
    created_at datetime NOT NULL,
    updated_at datetime NOT NULL,
    post_id    integer  NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    author_id  integer  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    body       text     NOT NULL
);
CREATE INDEX idx_comments_post_id ON comments (post_id);
CREATE INDEX idx_comments_author_id ON comments (author_id);

-- +goose Down
DROP TABLE comments;
