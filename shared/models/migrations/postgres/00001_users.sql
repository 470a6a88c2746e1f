-- +goose Up
CREATE TABLE users (
    id         bigserial   PRIMARY KEY,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    name       text        NOT NULL
);
CREATE UNIQUE INDEX idx_users_name ON users (name);

-- +goose Down
DROP TABLE users;
