package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/tandem-api/tandem/localhost/dotenv"
	"github.com/tandem-api/tandem/localhost/make/supervise"
	"github.com/tandem-api/tandem/shared/config"
)

func up(ctx context.Context, args []string, out, _ io.Writer) error {
	s, err := site(args, out)
	if err != nil {
		return err
	}
	return s.Up(ctx)
}

func down(ctx context.Context, args []string, out, _ io.Writer) error {
	s, err := site(args, out)
	if err != nil {
		return err
	}
	return s.Down(ctx)
}

func status(ctx context.Context, args []string, out, _ io.Writer) error {
	s, err := site(args, out)
	if err != nil {
		return err
	}
	return s.Status(ctx)
}

// site is the folder that we run in, with the server's address from its settings.
func site(args []string, out io.Writer) (supervise.Site, error) {
	if len(args) > 0 {
		return supervise.Site{}, fmt.Errorf("unexpected argument %q: %w", args[0], errUsage)
	}
	root, err := os.Getwd()
	if err != nil {
		return supervise.Site{}, fmt.Errorf("the project's folder: %w", err)
	}
	lookup, err := dotenv.Lookup(os.LookupEnv, dotenv.File)
	if err != nil {
		return supervise.Site{}, err
	}
	c, err := config.FromEnv(lookup)
	if err != nil {
		return supervise.Site{}, err
	}
	return supervise.Site{Root: root, Addr: c.Addr, Out: out}, nil
}
