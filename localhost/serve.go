package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"

	"github.com/tandem-api/tandem/localhost/dotenv"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	addr     string
	template string
	workers  int
}

// serveCommand serves the functions, and does their jobs, until it is told to stop.
func serveCommand(ctx context.Context, h host, args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	var o serveOptions
	flags.StringVar(&o.addr, "addr", "", "the `host:port` to listen on, instead of ADDR")
	flags.StringVar(&o.template, "template", defaultTemplate, "the SAM template with the routes")
	flags.IntVar(&o.workers, "workers", 1, "how many workers to run in this process, 0 for none")
	if err := parse(flags, h, args); err != nil {
		return err
	}
	if o.workers < 0 {
		return usageError{errors.New("serve: -workers must be 0 at least")}
	}
	lookup, err := dotenv.Lookup(h.lookup, dotenv.File)
	if err != nil {
		return usageError{err}
	}
	t, err := template.Load(o.template, template.Options{Lookup: lookup})
	if err != nil {
		return usageError{err}
	}
	if lookup, err = withTemplate(lookup, t); err != nil {
		return usageError{err}
	}
	c, err := settingsFrom(withAddr(lookup, o.addr))
	if err != nil {
		return err
	}
	if v, _ := lookup("AUTH_SECRET"); v == "" {
		fmt.Fprintf(h.stderr, "localhost: AUTH_SECRET is not set: logins are signed with a random secret, kept in %s\n", authSecretFile)
	}
	// Before anything is opened: with the port taken, another one is serving already.
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Addr, err)
	}
	defer listener.Close()
	var embedded *embeddedRedis
	if c.RedisURL == "" {
		if embedded, err = startEmbeddedRedis(); err != nil {
			return err
		}
		defer embedded.close()
		c.RedisURL = embedded.url()
	}
	return withConfig(h, c, func(app *function.App) error {
		s := server{host: h, app: app, template: t, embedded: embedded, workers: o.workers}
		return s.run(ctx, listener)
	})
}

// withAddr puts the flag over ADDR, so that both are checked in one place.
func withAddr(lookup config.Lookup, addr string) config.Lookup {
	if addr == "" {
		return lookup
	}
	return func(key string) (string, bool) {
		if key == "ADDR" {
			return addr, true
		}
		return lookup(key)
	}
}
