package server

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tandem-api/tandem/localhost/build"
	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/isolate"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/shared/config"
)

// isolate builds functions and makes them ready to run as processes. The function that
// it returns ends them all; it comes after the last request.
func (s server) isolate(ctx context.Context, folder *build.Folder, sources []isolate.Source) (running *isolate.Functions, end func(), err error) {
	executables, err := isolate.Build(ctx, folder, sources)
	if err != nil {
		return nil, nil, err
	}
	if running, err = isolate.New(s.isolateOptions(executables)); err != nil {
		return nil, nil, err
	}
	return running, func() {
		within, cancel := context.WithTimeout(context.Background(), cli.Closing)
		defer cancel()
		if err := running.Close(within); err != nil {
			s.app.Log.ErrorContext(ctx, "stop the functions", "error", err)
		}
	}, nil
}

// isolateAll is isolate for all functions of the template. With -watch, those that an
// edit touches are built again.
func (s server) isolateAll(ctx context.Context, folder *build.Folder) (running *isolate.Functions, end func(), err error) {
	sources, err := isolate.Find(s.options.template.Dir(), s.template)
	if err != nil {
		return nil, nil, cli.UsageError{Err: err}
	}
	began := time.Now()
	if running, end, err = s.isolate(ctx, folder, sources); err != nil {
		return nil, nil, err
	}
	fmt.Fprintf(s.host.Stderr, "localhost: %s built, in %.1f s\n", cli.Count(len(sources), "function"), time.Since(began).Seconds())
	if !s.options.watch {
		return running, end, nil
	}
	s.isolated = running
	stop, err := s.watchFunctions(ctx, folder, sources)
	if err != nil {
		end()
		return nil, nil, err
	}
	endAll := end // the result is another one from here on
	return running, func() { stop(); endAll() }, nil
}

func (s server) isolateOptions(executables map[string]string) isolate.Options {
	path, _ := s.host.Lookup("PATH")
	return isolate.Options{
		Template:    s.template,
		Executables: executables,
		Local:       localValues(s.app.Config),
		Role:        role(s.host.Lookup),
		Path:        path,
		Freeze:      s.options.freeze,
		Lines:       lambda.LogTo(s.host.Stderr),
		Log:         s.app.Log,
	}
}

// localValues are what this machine has for the variables that the template leaves to
// each deployment.
func localValues(c config.Config) map[string]string {
	var secrets []string
	for _, s := range c.AuthSecrets {
		secrets = append(secrets, s.Reveal())
	}
	return map[string]string{
		"AUTH_SECRET":  strings.Join(secrets, ","),
		"DATABASE_URL": c.DatabaseURL.Reveal(),
		"REDIS_URL":    c.RedisURL.Reveal(),
	}
}

// role is what stands in for the functions' role on Lambda: this user's credentials,
// where the environment has them (AWS docs "configuration-envvars").
func role(lookup config.Lookup) map[string]string {
	found := map[string]string{}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		if value, ok := lookup(name); ok {
			found[name] = value
		}
	}
	return found
}
