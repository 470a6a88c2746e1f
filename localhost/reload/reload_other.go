//go:build !unix

package reload

import (
	"context"
	"errors"
	"net"

	"github.com/tandem-api/tandem/localhost/cli"
)

// Run is not to be had here.
func Run(context.Context, Options, net.Listener) error {
	return cli.UsageError{Err: errors.New("serve: -watch hands a socket from process to process, which this system cannot")}
}
