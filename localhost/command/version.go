package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime/debug"

	"github.com/tandem-api/tandem/localhost/cli"
)

// version prints what this program is built from: its module, the commit, Go.
func version(_ context.Context, h cli.Host, args []string) error {
	if err := h.Parse(flag.NewFlagSet("version", flag.ContinueOnError), args); err != nil {
		return err
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("version: this program does not say what it is built from")
	}
	_, err := fmt.Fprintln(h.Stdout, info.Main.Path, info.Main.Version, info.GoVersion)
	return err
}
