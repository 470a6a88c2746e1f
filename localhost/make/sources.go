package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tandem-api/tandem/localhost/make/scaffold"
)

func newFunction(ctx context.Context, h host, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usageError{errors.New("name the function: make new-function NAME=hello")}
	}
	name := args[0]
	written, err := scaffold.NewFunction(ctx, ".", name)
	if errors.Is(err, scaffold.ErrName) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	for _, path := range written {
		fmt.Fprintln(h.out, path)
	}
	fmt.Fprintf(h.out, "\nGET /%s answers: see functions/%s/%s.go. `make test` passes.\n", name, name, name)
	return nil
}

func rename(ctx context.Context, h host, args []string) error {
	if len(args) != 1 || args[0] == "" {
		return usageError{errors.New("name the module: make rename MODULE=example.com/acme/api")}
	}
	changed, err := scaffold.Rename(ctx, ".", args[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(h.out, "%d files changed: the module is %s\n", len(changed), args[0])
	return nil
}
