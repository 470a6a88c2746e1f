-- +goose Up
CREATE TABLE posts (
    id           integer  PRIMARY KEY AUTOINCREMENT,
    created_at   datetime NOT NULL,
    updated_at   datetime NOT NULL,
    author_id    integer  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title        text     NOT NULL,
    body         text     NOT NULL,
    published_at datetime
);
CREATE INDEX idx_posts_author_id ON posts (author_id);
CREATE INDEX idx_posts_created_at ON posts (created_at, id);
CREATE INDEX idx_posts_published_at ON posts (published_at);

-- +goose Down
DROP TABLE posts;
