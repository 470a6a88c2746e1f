//go:build !unix

package main

import (
	"context"
	"errors"
	"net"

	"github.com/tandem-api/tandem/shared/config"
)

func watchCommand(context.Context, host, serveOptions, []string, config.Config, net.Listener, *embeddedRedis) error {
	return usageError{errors.New("serve: -watch hands a socket from process to process, which this system cannot")}
}
