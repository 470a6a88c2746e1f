// Command make does what the Makefile cannot say in a line: run it through `make`,
// in the project's top folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/tandem-api/tandem/shared/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], host{out: os.Stdout, errOut: os.Stderr, lookup: os.LookupEnv})
	stop()
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	if _, ok := errors.AsType[usageError](err); ok {
		os.Exit(2)
	}
	os.Exit(1)
}

// usageError is a wrong command line: the program exits with 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// host is the world around a command.
type host struct {
	out, errOut io.Writer
	lookup      config.Lookup
}

// command is one of the things that this program does.
type command func(ctx context.Context, h host, args []string) error

func run(ctx context.Context, args []string, h host) error {
	commands := map[string]command{
		"build":        build,
		"up":           up,
		"down":         down,
		"status":       status,
		"new-function": newFunction,
		"rename":       rename,
	}
	if len(args) == 0 {
		return usageError{errors.New("no command given: `make help` lists them")}
	}
	do, ok := commands[args[0]]
	if !ok {
		return usageError{fmt.Errorf("unknown command %q: `make help` lists them", args[0])}
	}
	return do(ctx, h, args[1:])
}
