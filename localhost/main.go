// Command localhost is the local host: it serves all the functions on one port, as API
// Gateway and Lambda would, runs the workers, and has the commands around them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/tandem-api/tandem/shared/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal, while the first one drains, ends the process as usual.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], host{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, lookup: os.LookupEnv})
	os.Exit(exitCode(err, os.Stderr))
}

// host is the world around a command.
type host struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookup         config.Lookup
}

// command is one of localhost's commands. run returns when the command is done or, once
// the context has ended, when what was under way has been drained.
type command struct {
	name, arguments, summary string
	run                      func(ctx context.Context, h host, args []string) error
}

func commands() []command {
	return []command{
		{"serve", "[flags]", "serve every function, and run a worker", serveCommand},
		{"worker", "[flags]", "run the jobs of the queues", workerCommand},
		{"seed", "", "fill the database with examples", seedCommand},
		{"migrate", "up|down|status|new NAME", "bring the database up to date", migrateCommand},
		{"invoke", "FUNCTION [flags]", "run one event, and print the answer", invokeCommand},
		{"jobs", "list|show|run|cancel|…", "look at the jobs and act on them", jobsCommand},
		{"routes", "[flags]", "print which route reaches which function", routesCommand},
		{"user", "add|passwd|role NAME …", "keep the users who may log in", userCommand},
		{"token", "-user NAME", "print a login token for a user", tokenCommand},
	}
}

func run(ctx context.Context, args []string, h host) error {
	if len(args) == 0 {
		usage(h.stderr)
		return usageError{errors.New("no command given")}
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		usage(h.stdout)
		return nil
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, h, args[1:])
		}
	}
	return usageError{fmt.Errorf("unknown command %q; `localhost help` lists them", args[0])}
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Usage: localhost COMMAND\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-34s %s\n", c.name+" "+c.arguments, c.summary)
	}
	fmt.Fprint(w, "\n`localhost COMMAND -h` shows a command's flags.\n")
}

// usageError is a wrong flag, argument or setting: the command exits with 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errHelp ends a command that was only asked for its flags.
var errHelp = errors.New("help")

// exitCode prints the error, each line of it after the program's name, and returns the
// status to exit with.
func exitCode(err error, w io.Writer) int {
	if err == nil || errors.Is(err, errHelp) {
		return 0
	}
	printError(w, err)
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}
