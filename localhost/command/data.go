package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models/migrations"
	"github.com/tandem-api/tandem/shared/models/seed"
)

// seedDatabase fills the database with examples and prints what it found.
func seedDatabase(ctx context.Context, h cli.Host, args []string) error {
	flags := flag.NewFlagSet("seed", flag.ContinueOnError)
	if err := h.Parse(flags, args); err != nil {
		return err
	}
	return h.WithApp(func(app *function.App) error {
		if err := cli.ReadyDatabase(ctx, app); err != nil {
			return err
		}
		db, err := database.Of(app)
		if err != nil {
			return err
		}
		return seed.Run(ctx, db, h.Stdout)
	})
}

func migrate(ctx context.Context, h cli.Host, args []string) error {
	flags := flag.NewFlagSet("migrate", flag.ContinueOnError)
	if err := h.ParseFlags(flags, args); err != nil {
		return err
	}
	verb, arguments := flags.Arg(0), max(flags.NArg()-1, 0)
	wanted := map[string]int{"up": 0, "down": 0, "status": 0, "new": 1}
	if n, ok := wanted[verb]; !ok || n != arguments {
		return cli.UsageError{Err: errors.New("migrate: say one of up, down, status, or new NAME")}
	}
	if verb == "new" {
		files, err := migrations.New(migrations.Dir, flags.Arg(1))
		if err != nil {
			return cli.UsageError{Err: fmt.Errorf("migrate new: %w", err)}
		}
		fmt.Fprintln(h.Stdout, strings.Join(files, "\n"))
		return nil
	}
	return h.WithApp(func(app *function.App) error { return migrateDatabase(ctx, h, app, verb) })
}

func migrateDatabase(ctx context.Context, h cli.Host, app *function.App, verb string) error {
	db, err := database.Of(app)
	if err != nil {
		return err
	}
	switch verb {
	case "up":
		done, err := migrations.Up(ctx, db)
		for _, m := range done {
			fmt.Fprintln(h.Stdout, "up   "+m.Name)
		}
		if err == nil && len(done) == 0 {
			fmt.Fprintln(h.Stdout, "nothing to do: the database is up to date")
		}
		return err
	case "down":
		m, err := migrations.Down(ctx, db)
		if err == nil && m == nil {
			fmt.Fprintln(h.Stdout, "nothing to do: no migration is applied")
		} else if err == nil {
			fmt.Fprintln(h.Stdout, "down "+m.Name)
		}
		return err
	default:
		all, err := migrations.Status(ctx, db)
		for _, m := range all {
			state := "pending"
			if m.Applied {
				state = m.AppliedAt.Format(time.RFC3339)
			}
			fmt.Fprintf(h.Stdout, "%-20s  %s\n", state, m.Name)
		}
		return err
	}
}
