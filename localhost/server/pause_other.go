//go:build !unix

package server

import "context"

// pauseSignals yields nothing: this system has no signals for it.
func pauseSignals(context.Context) <-chan bool { return nil }
