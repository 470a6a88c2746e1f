package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models/migrations"
	"github.com/tandem-api/tandem/shared/models/seed"
)

// readyDatabase connects to the database and makes sure that its schema is the one
// this program wants. The SQLite file of one machine is brought up to date; a Postgres
// is others' too, so there the command says what to do and ends.
func readyDatabase(ctx context.Context, app *function.App) error {
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
		return fmt.Errorf("the database is behind by %d migrations: run `localhost migrate up` first", behind)
	}
	return nil
}

// seedCommand fills the database with examples and prints what it found.
func seedCommand(ctx context.Context, h host, args []string) error {
	flags := flag.NewFlagSet("seed", flag.ContinueOnError)
	if err := parse(flags, h, args); err != nil {
		return err
	}
	return withApp(h, func(app *function.App) error {
		if err := readyDatabase(ctx, app); err != nil {
			return err
		}
		db, err := database.Of(app)
		if err != nil {
			return err
		}
		return seed.Run(ctx, db, h.stdout)
	})
}

func migrateCommand(ctx context.Context, h host, args []string) error {
	flags := flag.NewFlagSet("migrate", flag.ContinueOnError)
	if err := parseFlags(flags, h, args); err != nil {
		return err
	}
	verb, arguments := flags.Arg(0), max(flags.NArg()-1, 0)
	wanted := map[string]int{"up": 0, "down": 0, "status": 0, "new": 1}
	if n, ok := wanted[verb]; !ok || n != arguments {
		return usageError{errors.New("migrate: say one of up, down, status, or new NAME")}
	}
	if verb == "new" {
		files, err := migrations.New(migrations.Dir, flags.Arg(1))
		if err != nil {
			return usageError{fmt.Errorf("migrate new: %w", err)}
		}
		fmt.Fprintln(h.stdout, strings.Join(files, "\n"))
		return nil
	}
	return withApp(h, func(app *function.App) error { return migrateDatabase(ctx, h, app, verb) })
}

func migrateDatabase(ctx context.Context, h host, app *function.App, verb string) error {
	db, err := database.Of(app)
	if err != nil {
		return err
	}
	switch verb {
	case "up":
		done, err := migrations.Up(ctx, db)
		for _, m := range done {
			fmt.Fprintln(h.stdout, "up   "+m.Name)
		}
		if err == nil && len(done) == 0 {
			fmt.Fprintln(h.stdout, "nothing to do: the database is up to date")
		}
		return err
	case "down":
		m, err := migrations.Down(ctx, db)
		if err == nil && m == nil {
			fmt.Fprintln(h.stdout, "nothing to do: no migration is applied")
		} else if err == nil {
			fmt.Fprintln(h.stdout, "down "+m.Name)
		}
		return err
	default:
		all, err := migrations.Status(ctx, db)
		for _, m := range all {
			state := "pending"
			if m.Applied {
				state = m.AppliedAt.Format(time.RFC3339)
			}
			fmt.Fprintf(h.stdout, "%-20s  %s\n", state, m.Name)
		}
		return err
	}
}

// closing bounds how long a command may take to close what it opened.
const closing = 5 * time.Second

// withApp runs a short command with an App of its own.
func withApp(h host, command func(*function.App) error) error {
	c, err := settings(h)
	if err != nil {
		return err
	}
	return withConfig(h, c, command)
}

func withConfig(h host, c config.Config, command func(*function.App) error) error {
	app := function.New(c, h.stderr)
	err := command(app)
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	return errors.Join(err, app.Close(ctx))
}
