package isolate

import (
	"context"
	"errors"
	"fmt"
	gobuild "go/build"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/tandem-api/tandem/localhost/build"
	"github.com/tandem-api/tandem/localhost/template"
)

// Source is where the bootstrap of a function comes from.
type Source struct {
	Function *template.Function
	// Package is the folder of the Go main package that is built. Empty: others have
	// built File, in any language.
	Package string
	File    string
}

// bootstrap is what Lambda starts of a function, in runtimes of the family "provided".
const bootstrap = "bootstrap"

// Find says where the functions' bootstraps come from. Folders are relative to dir, the
// template's own. What CodeUri names counts first: a Go main package is built; an
// executable, or a folder with an executable named bootstrap, is run as it is. Then
// come the folders that `sam build` and `make build` write.
//
// A function that has none of these is left out unless it has a route: that is an error,
// which names all such functions.
func Find(dir string, t *template.Template) ([]Source, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the functions: %w", err)
	}
	needed := map[*template.Function]bool{}
	for _, r := range t.Routes() {
		needed[r.Function] = true
	}
	var all []Source
	var wrong []error
	for _, f := range t.Functions() {
		s, err := FindOne(dir, f)
		switch {
		case err == nil:
			all = append(all, s)
		case needed[f]:
			wrong = append(wrong, err)
		}
	}
	return all, errors.Join(wrong...)
}

// FindOne says where one function's bootstrap comes from.
func FindOne(dir string, f *template.Function) (Source, error) {
	s := Source{Function: f}
	if f.CodeURI != "" {
		code := resolve(dir, f.CodeURI)
		for _, folder := range []string{code, filepath.Join(code, bootstrap)} {
			if p, err := gobuild.ImportDir(folder, 0); err == nil && p.IsCommand() {
				s.Package = folder
				return s, nil
			}
		}
		if s.File = executable(code, filepath.Join(code, bootstrap)); s.File != "" {
			return s, nil
		}
	}
	sam := filepath.Join(dir, ".aws-sam", "build", f.LogicalID, bootstrap)
	bundled := filepath.Join(dir, ".build", f.Folder, bootstrap)
	if s.File = executable(sam, bundled); s.File != "" {
		return s, nil
	}
	hint := ""
	if f.Runtime != "" && !strings.HasPrefix(f.Runtime, "provided") {
		hint = fmt.Sprintf(" (runtimes such as %s are AWS's own, and not on this machine)", f.Runtime)
	}
	return s, fmt.Errorf("%s: %s: CodeUri %q is neither a Go main package nor an executable nor a folder with an executable named bootstrap%s",
		f.Position, f.LogicalID, f.CodeURI, hint)
}

func resolve(dir, path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// executable returns the first of the paths that is an executable file.
func executable(paths ...string) string {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() && (info.Mode()&0o111 != 0 || runtime.GOOS == "windows") {
			return path
		}
	}
	return ""
}

// Program is how a function's bootstrap is built.
func (s Source) Program() build.Program {
	return build.Program{Name: s.Function.LogicalID, Dir: s.Package, File: bootstrap, Tags: "lambda.norpc"}
}

// Build builds what has to be, and returns the path of each function's executable by
// its logical id. The error joins those of all functions that do not build.
func Build(ctx context.Context, folder *build.Folder, sources []Source) (map[string]string, error) {
	paths, errs := make([]string, len(sources)), make([]error, len(sources))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, s := range sources {
		if paths[i] = s.File; s.Package == "" {
			continue
		}
		group.Go(func() error {
			paths[i], errs[i] = folder.Build(ctx, s.Program())
			return nil
		})
	}
	_ = group.Wait() // what went wrong stands in errs
	all := map[string]string{}
	for i, s := range sources {
		all[s.Function.LogicalID] = paths[i]
	}
	return all, joined(errs)
}

// joined says only once what is wrong with many functions in the same way: what they
// share does not build.
func joined(errs []error) error {
	var all []error
	said := map[string]bool{}
	for _, err := range errs {
		if err == nil {
			continue
		}
		text := err.Error()
		if e, ok := errors.AsType[*build.Error](err); ok {
			text = e.Text
		}
		if !said[text] {
			all = append(all, err)
		}
		said[text] = true
	}
	return errors.Join(all...)
}
