-- +goose Up
CREATE TABLE outbox_jobs (
    id         integer  PRIMARY KEY AUTOINCREMENT,
    created_at datetime NOT NULL,
    updated_at datetime NOT NULL,
    job_id     text     NOT NULL,
    message    text     NOT NULL,
    error      text     NOT NULL DEFAULT ''
);

-- +goose Down
DROP TABLE outbox_jobs;
