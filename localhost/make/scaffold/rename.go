package scaffold

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// notSources are folders that hold no sources of the project.
var notSources = map[string]bool{".git": true, "tmp": true, ".build": true, ".aws-sam": true, "node_modules": true}

// Rename gives the project under root another module path: in go.mod, in every import,
// and wherever else a text names it. It returns the files that it changed, relative
// to root. A path that Go would not take changes nothing.
func Rename(ctx context.Context, root, module string) ([]string, error) {
	old, err := Module(ctx, root)
	if err != nil {
		return nil, err
	}
	if old == module {
		return nil, nil
	}
	files, err := mentions(root, old)
	if err != nil {
		return nil, err
	}
	// Go checks the path, and it comes first: a wrong one is refused before any change.
	if err := goMod(ctx, root, "-module", module); err != nil {
		return nil, fmt.Errorf("rename the module: %w", err)
	}
	changed := []string{"go.mod"}
	for _, path := range files {
		if path == "go.mod" {
			continue
		}
		if err := rewrite(filepath.Join(root, path), old, module); err != nil {
			return changed, err
		}
		changed = append(changed, path)
	}
	return changed, nil
}

// Module returns the project's module path.
func Module(ctx context.Context, root string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off")
	path, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("read the module's path: %w", err)
	}
	return strings.TrimSpace(string(path)), nil
}

func goMod(ctx context.Context, root string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"mod", "edit"}, args...)...)
	cmd.Dir = root
	if said, err := cmd.CombinedOutput(); err != nil {
		return errors.New(strings.TrimSpace(string(said)))
	}
	return nil
}

// mentions lists the text files under root that name the module.
func mentions(root, module string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && notSources[d.Name()]:
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if utf8.Valid(text) && !bytes.Equal(text, replaced(text, module, "")) {
			relative, err := filepath.Rel(root, path)
			found = append(found, filepath.ToSlash(relative))
			return err
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for the module's path: %w", err)
	}
	return found, nil
}

// rewrite replaces the module's path in a file. Go code is formatted again, since the
// order of imports may change.
func rewrite(path, old, module string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("rename the module: %w", err)
	}
	text = replaced(text, old, module)
	if filepath.Ext(path) == ".go" {
		if formatted, err := format.Source(text); err == nil { // else it was no Go before
			text = formatted
		}
	}
	info, err := os.Stat(path)
	if err == nil {
		err = os.WriteFile(path, text, info.Mode().Perm())
	}
	if err != nil {
		return fmt.Errorf("rename the module: %w", err)
	}
	return nil
}

// replaced replaces the path old by module, but not as a part of another path: of
// example.com/a in example.com/ab, or in www.example.com/a.
func replaced(text []byte, old, module string) []byte {
	var out []byte
	done := 0
	for {
		at := bytes.Index(text[done:], []byte(old))
		if at < 0 {
			return append(out, text[done:]...)
		}
		from, to := done+at, done+at+len(old)
		out = append(out, text[done:from]...)
		if goesOn(text[:from], text[to:]) {
			out = append(out, old...)
		} else {
			out = append(out, module...)
		}
		done = to
	}
}

// goesOn tells whether what stands between before and after is part of a longer name.
func goesOn(before, after []byte) bool {
	const inside = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-~"
	if n := len(before); n > 0 {
		last := before[n-1]
		scheme := bytes.HasSuffix(before, []byte("//")) // https://example.com/a
		if strings.IndexByte(inside+".", last) >= 0 || last == '/' && !scheme {
			return true
		}
	}
	return len(after) > 0 && strings.IndexByte(inside, after[0]) >= 0
}
