package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/tandem-api/tandem/localhost/make/bundle"
)

// build builds the named functions, or all, into .build/, or a single one's binary to
// where -bootstrap says. A name may be a folder's (foo) or template.yaml's (Foo).
func build(ctx context.Context, h host, args []string) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	flags.SetOutput(h.errOut)
	arch := flags.String("arch", "x86_64", "the processor: arm64 or x86_64")
	dir := flags.String("out", ".build", "the folder for NAME/bootstrap and NAME.zip")
	bootstrap := flags.String("bootstrap", "", "build one function's binary to this file, and nothing else")
	if err := flags.Parse(args); err != nil {
		return usageError{err}
	}
	names := flags.Args()
	for i := range names {
		names[i] = strings.ToLower(names[i])
	}
	if *bootstrap != "" {
		if len(names) != 1 {
			return usageError{errors.New("build: -bootstrap takes one function")}
		}
		return bundle.Build(ctx, ".", names[0], *arch, *bootstrap)
	}
	if len(names) == 0 {
		var err error
		if names, err = bundle.Functions("."); err != nil {
			return err
		}
	}
	built, err := bundle.All(ctx, ".", *dir, *arch, names)
	if err != nil {
		return err
	}
	for _, a := range built {
		fmt.Fprintf(h.out, "%-24s %5.1f MB, %4.1f MB zipped\n", a.Path, mega(a.Binary), mega(a.Zip))
	}
	return nil
}

func mega(bytes int64) float64 { return float64(bytes) / 1e6 }
