-- +goose Up
CREATE TABLE users (
    id            integer  PRIMARY KEY AUTOINCREMENT,
    created_at    datetime NOT NULL,
    updated_at    datetime NOT NULL,
    name          text     NOT NULL,
    role          text     NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'admin')),
    password_hash text     NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX idx_users_name ON users (name);

-- +goose Down
DROP TABLE users;
