package scaffold

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// files are the templates of a new function's files, by their paths in the project,
// in which NAME stands for the function's name.
//
//go:embed template
var files embed.FS

// NewFunction adds the function NAME, which answers GET /NAME, to the project under
// root: its folder with handler, test and bootstrap, a sample event, its resource in
// template.yaml and its place in localhost/functions.go. It returns the files that it
// wrote, relative to root. On an error nothing is changed.
func NewFunction(ctx context.Context, root, name string) ([]string, error) {
	if err := usable(root, name); err != nil {
		return nil, err
	}
	module, err := Module(ctx, root)
	if err != nil {
		return nil, err
	}
	changes := changes{root: root}
	changes.create(subject{Name: name, LogicalID: logicalID(name), Module: module})
	changes.edit("template.yaml", func(text []byte) ([]byte, error) { return addResource(text, name) })
	changes.edit("localhost/functions.go", func(text []byte) ([]byte, error) { return addToList(text, module, name) })
	if err := errors.Join(changes.wrong...); err != nil {
		return nil, fmt.Errorf("new function %s: %w", name, err)
	}
	return changes.write()
}

// logicalID is what template.yaml calls the function: FooFunction for foo.
func logicalID(name string) string { return strings.ToUpper(name[:1]) + name[1:] + "Function" }

// subject is what the templates are about.
type subject struct {
	Name, LogicalID, Module string
}

// changes are made in memory first, then written.
type changes struct {
	root  string
	paths []string // relative to root, in the order of writing
	texts [][]byte
	wrong []error
}

func (c *changes) add(path string, text []byte, err error) {
	if err != nil {
		c.wrong = append(c.wrong, fmt.Errorf("%s: %w", path, err))
		return
	}
	c.paths, c.texts = append(c.paths, path), append(c.texts, text)
}

// create fills in every template.
func (c *changes) create(s subject) {
	err := fs.WalkDir(files, "template", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		t, err := template.ParseFS(files, path)
		if err != nil {
			return err
		}
		var text bytes.Buffer
		if err := t.Execute(&text, s); err != nil {
			return err
		}
		to := strings.TrimSuffix(strings.TrimPrefix(path, "template/"), ".tmpl")
		to = strings.ReplaceAll(to, "NAME", s.Name)
		done := text.Bytes()
		if filepath.Ext(to) == ".go" {
			done, err = format.Source(done)
		}
		c.add(to, done, err)
		return nil
	})
	if err != nil {
		c.wrong = append(c.wrong, err)
	}
}

// edit changes a file that is there.
func (c *changes) edit(path string, change func([]byte) ([]byte, error)) {
	text, err := os.ReadFile(filepath.Join(c.root, path))
	if err == nil {
		text, err = change(text)
	}
	c.add(path, text, err)
}

func (c *changes) write() ([]string, error) {
	for i, path := range c.paths {
		to := filepath.Join(c.root, filepath.FromSlash(path))
		err := os.MkdirAll(filepath.Dir(to), 0o755)
		if err == nil {
			err = os.WriteFile(to, c.texts[i], 0o644)
		}
		if err != nil {
			return c.paths[:i], fmt.Errorf("new function: %w", err)
		}
	}
	return c.paths, nil
}
