package server

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/inprocess"
	"github.com/tandem-api/tandem/localhost/reload"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	addr     string
	template cli.TemplateFlags
	workers  int
	isolate  bool
	freeze   bool
	throttle bool
	watch    bool
	jwks     keySources
}

// keySources is a flag such as https://login.example=jwks.json: where the keys of an
// issuer of tokens are.
type keySources map[string]string

func (k keySources) String() string { return "" }

func (k keySources) Set(text string) error {
	issuer, source, given := strings.Cut(text, "=")
	if u, err := url.Parse(issuer); err != nil || u.Host == "" || given && source == "" {
		return fmt.Errorf("%q is not ISSUER=FILE, ISSUER=URL or ISSUER, with the issuer a URL", text)
	}
	k[issuer] = source
	return nil
}

func serveFlags(h cli.Host, args []string) (serveOptions, error) {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	var o serveOptions
	flags.StringVar(&o.addr, "addr", "", "the `host:port` to listen on, instead of ADDR")
	o.template.Add(flags)
	flags.IntVar(&o.workers, "workers", 1, "how many workers to run in this process, 0 for none")
	flags.BoolVar(&o.isolate, "isolate", false, "run each function in processes of its own, as Lambda does")
	flags.BoolVar(&o.freeze, "freeze", false, "with -isolate: stop the processes between events, as Lambda does")
	flags.BoolVar(&o.throttle, "throttle", false, "enforce the template's request rates, too")
	o.jwks = keySources{}
	flags.Var(o.jwks, "jwks", "check the signatures of an issuer's tokens: `ISSUER=FILE` or ISSUER=URL says where its keys are, ISSUER alone fetches them from where it publishes them; may be repeated")
	flags.BoolVar(&o.watch, "watch", false, "build and serve anew whatever an edit touches")
	if err := h.Parse(flags, args); err != nil {
		return o, err
	}
	switch {
	case o.workers < 0:
		return o, cli.UsageError{Err: errors.New("serve: -workers must be 0 at least")}
	case o.freeze && !o.isolate:
		return o, cli.UsageError{Err: errors.New("serve: -freeze needs -isolate: in one process there is nothing to freeze")}
	}
	return o, nil
}

// Serve serves the functions, and does their jobs, until it is told to stop.
func Serve(ctx context.Context, h cli.Host, args []string) error {
	o, err := serveFlags(h, args)
	if err != nil {
		return err
	}
	from, err := reload.Inherit(h.Lookup)
	if err != nil {
		return err
	}
	read, err := o.template.Read(h, o.addr, o.isolate)
	if err != nil {
		return err
	}
	if v, _ := read.Lookup("AUTH_SECRET"); v == "" && from == nil {
		fmt.Fprintf(h.Stderr, "localhost: AUTH_SECRET is not set: logins are signed with a random secret, kept in %s\n", cli.AuthSecretFile)
	}
	// Before anything is opened: with the port taken, another one is serving already.
	listener, err := from.Listen(read.Config.Addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	var embedded *embeddedRedis
	if from != nil && from.Redis != "" {
		read.Config.RedisURL = config.Secret(from.Redis)
	} else if read.Config.RedisURL == "" {
		if embedded, err = startEmbeddedRedis(); err != nil {
			return err
		}
		defer embedded.close()
		read.Config.RedisURL = embedded.url()
	}
	if o.watch && from == nil {
		return watchAll(ctx, h, o, args, read.Config, listener, embedded)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	from.Orphaned(cancel)
	h.CollectLess()
	return h.WithConfig(read.Config, func(app *function.App) error {
		app.Log = inprocess.Tailed(app.Log, app.Config)
		s := server{host: h, app: app, options: o, template: read.Template, embedded: embedded, from: from}
		return s.run(ctx, listener)
	})
}

// watchAll serves in a process that it replaces after each edit.
func watchAll(ctx context.Context, h cli.Host, o serveOptions, args []string, c config.Config, listener net.Listener, embedded *embeddedRedis) error {
	options := reload.Options{Host: h, Args: args, Template: o.template, Isolate: o.isolate}
	if embedded == nil {
		return reload.Run(ctx, options, listener)
	}
	options.Redis = embedded.url().Reveal()
	return h.WithConfig(c, func(app *function.App) error {
		defer server{host: h, app: app, embedded: embedded}.countLeft()
		return reload.Run(ctx, options, listener)
	})
}
