// Command localhost is the local host: it serves all the functions on one port, as API
// Gateway and Lambda would, runs the workers, and has the commands around them.
//
// This package is no more than the list of functions: an edit of one of them compiles it
// and this anew, and links.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal, while the first one drains, ends the process as usual.
	context.AfterFunc(ctx, stop)
	h := cli.Host{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Lookup: os.LookupEnv, Functions: functions()}
	os.Exit(cli.ExitCode(command.Run(ctx, h, os.Args[1:]), os.Stderr))
}
