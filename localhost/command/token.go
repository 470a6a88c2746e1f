package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/shared/auth"
)

// token prints a login token alone on standard output, for use in scripts:
//
//	curl -H "Authorization: Bearer $(localhost token -user asdf)" …
func token(_ context.Context, h cli.Host, args []string) error {
	flags := flag.NewFlagSet("token", flag.ContinueOnError)
	name := flags.String("user", "", "the `name` of the user whom the token logs in")
	ttl := flags.Duration("ttl", time.Hour, "how long the token is good for")
	if err := h.Parse(flags, args); err != nil {
		return err
	}
	if *name == "" {
		return cli.UsageError{Err: errors.New("token: -user NAME is missing")}
	}
	if *ttl <= 0 {
		return cli.UsageError{Err: errors.New("token: -ttl must be more than 0")}
	}
	c, err := h.Settings()
	if err != nil {
		return err
	}
	text, err := auth.Mint(c, *name, *ttl)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(h.Stdout, text)
	return err
}
