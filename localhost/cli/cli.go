// Package cli is what the local host's commands have in common: the world around them,
// their flags and settings, and how they end.
package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

// Host is the world around a command.
type Host struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Lookup         config.Lookup // the environment
	Functions      []function.Function
}

// UsageError is a wrong flag, argument or setting: the command exits with 2.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }
func (e UsageError) Unwrap() error { return e.Err }

// errHelp ends a command that was only asked for its flags.
var errHelp = errors.New("help")

// ExitCode prints the error, each line of it after the program's name, and returns the
// status to exit with.
func ExitCode(err error, w io.Writer) int {
	if err == nil || errors.Is(err, errHelp) {
		return 0
	}
	PrintError(w, err)
	if _, ok := errors.AsType[UsageError](err); ok {
		return 2
	}
	return 1
}

// PrintError prints an error as the commands do.
func PrintError(w io.Writer, err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(w, "localhost: "+line)
	}
}

// Parse reads the flags of a command that takes no arguments beside them. What is wrong
// is a UsageError of one line.
func (h Host) Parse(flags *flag.FlagSet, args []string) error {
	if err := h.ParseFlags(flags, args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return UsageError{fmt.Errorf("%s: unexpected argument %q", flags.Name(), flags.Arg(0))}
	}
	return nil
}

// ParseFlags reads the flags of a command, and leaves its arguments.
func (h Host) ParseFlags(flags *flag.FlagSet, args []string) error {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(h.Stdout, "Usage of localhost %s:\n", flags.Name())
		flags.SetOutput(h.Stdout)
		flags.PrintDefaults()
		return errHelp
	case err != nil:
		return UsageError{fmt.Errorf("%s: %w", flags.Name(), err)}
	}
	return nil
}
