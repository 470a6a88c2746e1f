package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/tandem-api/tandem/localhost/dotenv"
	"github.com/tandem-api/tandem/localhost/make/supervise"
	"github.com/tandem-api/tandem/shared/config"
)

func up(ctx context.Context, h host, args []string) error {
	s, err := site(h, args)
	if err != nil {
		return err
	}
	lookup, err := dotenv.Lookup(h.lookup, dotenv.File)
	if err != nil {
		return err
	}
	c, err := config.FromEnv(lookup)
	if err != nil {
		return err
	}
	s.Addr = c.Addr
	if err := s.Ready(ctx); err != nil {
		return err
	}
	compiler := exec.CommandContext(ctx, "go", "build", "-o", "tmp/bin/localhost", "./localhost")
	compiler.Stdout, compiler.Stderr = h.out, h.errOut
	if err := compiler.Run(); err != nil {
		return fmt.Errorf("build the server: %w", err)
	}
	return s.Up(ctx)
}

func down(ctx context.Context, h host, args []string) error {
	s, err := site(h, args)
	if err != nil {
		return err
	}
	return s.Down(ctx)
}

func status(ctx context.Context, h host, args []string) error {
	s, err := site(h, args)
	if err != nil {
		return err
	}
	return s.Status(ctx)
}

// site is the folder that we run in.
func site(h host, args []string) (supervise.Site, error) {
	if len(args) > 0 {
		return supervise.Site{}, usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	root, err := os.Getwd()
	if err != nil {
		return supervise.Site{}, fmt.Errorf("the project's folder: %w", err)
	}
	return supervise.Site{Root: root, Out: h.out}, nil
}
