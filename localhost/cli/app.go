package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models/migrations"
)

// Closing bounds how long a command may take to close what it opened.
const Closing = 5 * time.Second

// WithApp runs a short command with an App of its own, by the settings of the
// environment and .env.
func (h Host) WithApp(do func(*function.App) error) error {
	c, err := h.Settings()
	if err != nil {
		return err
	}
	return h.WithConfig(c, do)
}

// WithConfig runs a command with an App of its own, which it closes.
func (h Host) WithConfig(c config.Config, do func(*function.App) error) error {
	app := function.New(c, h.Stderr)
	err := do(app)
	ctx, cancel := context.WithTimeout(context.Background(), Closing)
	defer cancel()
	return errors.Join(err, app.Close(ctx))
}

// CollectLess lets the garbage collector run a quarter as often, unless GOGC says how
// often. A server of ours holds so few megabytes that it would go through them every few
// hundred requests, which takes a seventh of its time; this takes some 20 MB instead.
func (h Host) CollectLess() {
	if _, said := h.Lookup("GOGC"); !said {
		debug.SetGCPercent(400)
	}
}

// ReadyDatabase connects to the database and makes sure that its schema is the one
// this program wants. The SQLite file of one machine is brought up to date; a Postgres
// is others' too, so there the command says what to do and ends.
func ReadyDatabase(ctx context.Context, app *function.App) error {
	db, err := database.Of(app)
	if err != nil {
		return err
	}
	if database.Dialect(db) == database.SQLite {
		_, err := migrations.Up(ctx, db)
		return err
	}
	behind, err := migrations.Behind(ctx, db)
	if err != nil {
		return err
	}
	if behind > 0 {
		return fmt.Errorf("the database is behind by %s: run `localhost migrate up` first", Count(behind, "migration"))
	}
	return nil
}
