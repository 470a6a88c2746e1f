package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/tandem-api/tandem/localhost/inprocess"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	addr     string
	template templateFlags
	workers  int
	isolate  bool
	freeze   bool
	throttle bool
	watch    bool
}

func serveFlags(h host, args []string) (serveOptions, error) {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	var o serveOptions
	flags.StringVar(&o.addr, "addr", "", "the `host:port` to listen on, instead of ADDR")
	o.template.add(flags)
	flags.IntVar(&o.workers, "workers", 1, "how many workers to run in this process, 0 for none")
	flags.BoolVar(&o.isolate, "isolate", false, "run each function in processes of its own, as Lambda does")
	flags.BoolVar(&o.freeze, "freeze", false, "with -isolate: stop the processes between events, as Lambda does")
	flags.BoolVar(&o.throttle, "throttle", false, "enforce the template's request rates, too")
	flags.BoolVar(&o.watch, "watch", false, "build and serve anew whatever an edit touches")
	if err := parse(flags, h, args); err != nil {
		return o, err
	}
	switch {
	case o.workers < 0:
		return o, usageError{errors.New("serve: -workers must be 0 at least")}
	case o.freeze && !o.isolate:
		return o, usageError{errors.New("serve: -freeze needs -isolate: in one process there is nothing to freeze")}
	}
	return o, nil
}

// serveCommand serves the functions, and does their jobs, until it is told to stop.
func serveCommand(ctx context.Context, h host, args []string) error {
	o, err := serveFlags(h, args)
	if err != nil {
		return err
	}
	from, err := inherit(h.lookup)
	if err != nil {
		return err
	}
	read, err := o.template.read(h, o.addr, o.isolate)
	if err != nil {
		return err
	}
	if v, _ := read.lookup("AUTH_SECRET"); v == "" && from == nil {
		fmt.Fprintf(h.stderr, "localhost: AUTH_SECRET is not set: logins are signed with a random secret, kept in %s\n", authSecretFile)
	}
	// Before anything is opened: with the port taken, another one is serving already.
	listener, err := from.listen(read.config.Addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	var embedded *embeddedRedis
	if from != nil && from.Redis != "" {
		read.config.RedisURL = config.Secret(from.Redis)
	} else if read.config.RedisURL == "" {
		if embedded, err = startEmbeddedRedis(); err != nil {
			return err
		}
		defer embedded.close()
		read.config.RedisURL = embedded.url()
	}
	if o.watch && from == nil {
		return watchCommand(ctx, h, o, args, read.config, listener, embedded)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	from.orphaned(cancel)
	return withConfig(h, read.config, func(app *function.App) error {
		app.Log = inprocess.Tailed(app.Log, app.Config)
		s := server{host: h, app: app, options: o, template: read.template, embedded: embedded, from: from}
		return s.run(ctx, listener)
	})
}
