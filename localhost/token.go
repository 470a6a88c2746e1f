package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/tandem-api/tandem/shared/auth"
)

// tokenCommand prints a login token alone on standard output, for use in scripts:
//
//	curl -H "Authorization: Bearer $(localhost token -user asdf)" …
func tokenCommand(_ context.Context, h host, args []string) error {
	flags := flag.NewFlagSet("token", flag.ContinueOnError)
	user := flags.String("user", "", "the `name` of the user whom the token logs in")
	ttl := flags.Duration("ttl", time.Hour, "how long the token is good for")
	if err := parse(flags, h, args); err != nil {
		return err
	}
	if *user == "" {
		return usageError{errors.New("token: -user NAME is missing")}
	}
	if *ttl <= 0 {
		return usageError{errors.New("token: -ttl must be more than 0")}
	}
	c, err := settings(h)
	if err != nil {
		return err
	}
	text, err := auth.Mint(c, *user, *ttl)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(h.stdout, text)
	return err
}
