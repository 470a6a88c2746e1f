// Package command is the command line of the local host: what its commands are called,
// and those that need no more than a file.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/command/jobs"
	"github.com/tandem-api/tandem/localhost/server"
)

// command is one of localhost's commands. run returns when the command is done or, once
// the context has ended, when what was under way has been drained.
type command struct {
	name, arguments, summary string
	run                      func(ctx context.Context, h cli.Host, args []string) error
}

func commands() []command {
	return []command{
		{"serve", "[flags]", "serve every function, and run a worker", server.Serve},
		{"worker", "[flags]", "run the jobs of the queues", server.Worker},
		{"seed", "", "fill the database with examples", seedDatabase},
		{"migrate", "up|down|status|new NAME", "bring the database up to date", migrate},
		{"invoke", "FUNCTION [flags]", "run one event, and print the answer", server.Invoke},
		{"jobs", "list|show|run|cancel|…", "look at the jobs and act on them", jobs.Run},
		{"routes", "[flags]", "print which route reaches which function", routes},
		{"user", "add|passwd|role NAME …", "keep the users who may log in", user},
		{"token", "-user NAME", "print a login token for a user", token},
		{"version", "", "print what this program is built from", version},
	}
}

// Run runs the command that the arguments name; cli.ExitCode knows what its error means.
func Run(ctx context.Context, h cli.Host, args []string) error {
	if len(args) == 0 {
		usage(h.Stderr)
		return cli.UsageError{Err: errors.New("no command given")}
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		usage(h.Stdout)
		return nil
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(ctx, h, args[1:])
		}
	}
	return cli.UsageError{Err: fmt.Errorf("unknown command %q; `localhost help` lists them", args[0])}
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Usage: localhost COMMAND\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-34s %s\n", c.name+" "+c.arguments, c.summary)
	}
	fmt.Fprint(w, "\n`localhost COMMAND -h` shows a command's flags.\n")
}
