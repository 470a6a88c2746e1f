// Package reload is `serve -watch`: it holds the socket and the embedded Redis, and runs
// the server in a process that it replaces after each edit.
package reload

import "github.com/tandem-api/tandem/localhost/cli"

// Options say what is served, and by whom.
type Options struct {
	Host     cli.Host
	Args     []string // of serve
	Template cli.TemplateFlags
	// Isolate leaves this program as it is: the functions are others, and the server
	// watches them itself.
	Isolate bool
	// Redis is the URL of the embedded Redis; "" where REDIS_URL is set.
	Redis string
}
