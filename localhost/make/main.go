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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// errUsage is in the chain of an error that a different command line would mend.
var errUsage = errors.New("usage: make COMMAND [-flags] [arguments]; `make help` lists what there is")

// command is one of the things that this program does.
type command func(ctx context.Context, args []string, out, errOut io.Writer) error

func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	commands := map[string]command{
		"build":  build,
		"up":     up,
		"down":   down,
		"status": status,
	}
	if len(args) == 0 {
		return errUsage
	}
	do, ok := commands[args[0]]
	if !ok {
		return fmt.Errorf("unknown command %q: %w", args[0], errUsage)
	}
	return do(ctx, args[1:], out, errOut)
}
