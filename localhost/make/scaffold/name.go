package scaffold

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// goodName is a package's name, a path and, with its first letter made large, a
// logical id in template.yaml.
var goodName = regexp.MustCompile(`^[a-z][a-z0-9]{0,31}$`)

// ErrName is in the chain of an error about a name that no function can have.
var ErrName = errors.New("no name for a function")

// taken are names that mean something else: to the go command, in a function's own
// files, or on the local host, whose pages are under /internal/.
var taken = []string{
	"main", "internal", "vendor", "testdata", "bootstrap",
	"chi", "http", "function", "testing", "apptest", "lambdahttp",
}

// usable returns an error that says why a new function cannot have that name.
func usable(root, name string) error {
	refuse := func(why string) error { return fmt.Errorf("%w: %q %s", ErrName, name, why) }
	if !goodName.MatchString(name) {
		return refuse("is not made of lower-case letters and digits, 32 at most, a letter first")
	}
	if token.IsKeyword(name) || types.Universe.Lookup(name) != nil {
		return refuse("is a word of Go")
	}
	if slices.Contains(taken, name) {
		return refuse("has a meaning already")
	}
	if _, err := os.Stat(filepath.Join(root, "functions", name)); !errors.Is(err, fs.ErrNotExist) {
		return refuse("is the name of another function")
	}
	// localhost/functions.go imports the package, under its name.
	declared, err := declares(filepath.Join(root, "localhost"), name)
	if err == nil && declared {
		return refuse("is declared in localhost/, which will import the function by that name")
	}
	return err
}

// declares tells whether a file in the folder has a top-level declaration of that name.
func declares(dir, name string) (bool, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return false, err
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return false, fmt.Errorf("look for %s: %w", name, err)
		}
		for _, d := range file.Decls {
			if names(d, name) {
				return true, nil
			}
		}
	}
	return false, nil
}

// names tells whether a declaration is one of that name.
func names(d ast.Decl, name string) bool {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Recv == nil && d.Name.Name == name
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.Name == name {
					return true
				}
			case *ast.ValueSpec:
				for _, id := range spec.Names {
					if id.Name == name {
						return true
					}
				}
			}
		}
	}
	return false
}
