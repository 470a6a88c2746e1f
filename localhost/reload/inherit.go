package reload

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/tandem-api/tandem/shared/config"
)

// inheritance is the variable by which `serve -watch` tells the server that it starts
// what it has for it.
const inheritance = "TANDEM_INHERIT"

// Inherited is what a server has from the `serve -watch` around it, beside the files
// below.
type Inherited struct {
	Redis  string // of the Redis embedded there; "" where REDIS_URL is set
	Silent bool   // the routes have been printed already
}

// The files that come with it.
const (
	listenerFile = 3 + iota // the listening socket
	readyFile               // a pipe: closed once requests are served
	parentFile              // a pipe: ends with the parent
)

// Inherit returns what the parent has given, nil where there is none.
func Inherit(lookup config.Lookup) (*Inherited, error) {
	text, ok := lookup(inheritance)
	if !ok {
		return nil, nil
	}
	var i Inherited
	if err := json.Unmarshal([]byte(text), &i); err != nil {
		return nil, fmt.Errorf("%s: %w", inheritance, err)
	}
	return &i, nil
}

// Listen returns the parent's socket, or one of our own.
func (i *Inherited) Listen(addr string) (net.Listener, error) {
	if i == nil {
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("listen on %s: %w", addr, err)
		}
		return listener, nil
	}
	file := os.NewFile(listenerFile, "listener")
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("take over the socket: %w", err)
	}
	return listener, nil
}

// Ready tells the parent that requests are served.
func (i *Inherited) Ready() {
	if i == nil {
		return
	}
	pipe := os.NewFile(readyFile, "ready")
	_, _ = io.WriteString(pipe, "ready\n")
	_ = pipe.Close()
}

// Orphaned calls end when the parent has gone.
func (i *Inherited) Orphaned(end func()) {
	if i == nil {
		return
	}
	pipe := os.NewFile(parentFile, "parent")
	go func() {
		_, _ = io.Copy(io.Discard, pipe)
		end()
	}()
}
