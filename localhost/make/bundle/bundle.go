// Package bundle builds the functions' bootstraps: the one binary that Lambda's
// provided.al2023 runtime starts, and the zip archive that Lambda takes.
package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// flags are how every bootstrap is built: without the RPC entry of older runtimes,
// without paths and symbols. The commit is left out, so that the same sources give
// the same bytes, and a deployment changes only the functions that changed.
var flags = []string{"-tags=lambda.norpc", "-trimpath", "-ldflags=-s -w", "-buildvcs=false"}

// ErrUnknownArch is the error for an architecture that Lambda does not have.
var ErrUnknownArch = errors.New("not arm64 or x86_64")

// GOARCH returns Go's name of an architecture, which may be given by Lambda's name
// (arm64, x86_64) or by Go's.
func GOARCH(arch string) (string, error) {
	switch arch {
	case "arm64":
		return "arm64", nil
	case "x86_64", "amd64":
		return "amd64", nil
	}
	return "", fmt.Errorf("architecture %q: %w", arch, ErrUnknownArch)
}

// Functions returns the names of the folders under functions/ that have a
// bootstrap, in the order of the alphabet.
func Functions(root string) ([]string, error) {
	mains, err := filepath.Glob(filepath.Join(root, "functions", "*", "bootstrap", "main.go"))
	if err != nil {
		return nil, fmt.Errorf("list the functions: %w", err)
	}
	names := make([]string, len(mains))
	for i, main := range mains {
		names[i] = filepath.Base(filepath.Dir(filepath.Dir(main)))
	}
	return names, nil
}

// Build compiles functions/NAME/bootstrap under root for Linux, statically and
// stripped, and writes the binary to out.
func Build(ctx context.Context, root, name, arch, out string) error {
	goarch, err := GOARCH(arch)
	if err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	out, err = filepath.Abs(out)
	if err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	args := append([]string{"build"}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "-o", out, "./"+packageOf(name))...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+goarch, "CGO_ENABLED=0")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", name, err, strings.TrimSpace(said.String()))
	}
	return nil
}

// packageOf is the folder of a function's main package, with slashes, as
// template.yaml's CodeUri gives it.
func packageOf(name string) string { return "functions/" + name + "/bootstrap" }
