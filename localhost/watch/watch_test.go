package watch_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tandem-api/tandem/localhost/watch"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTreeTellsEdits(t *testing.T) {
	dir := t.TempDir()
	known := write(t, dir, "f/f.go", "package f\n")
	write(t, dir, "tmp/out", "")
	tree, err := watch.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	for _, c := range []struct {
		name string
		edit func(t *testing.T) string // what is to be told
	}{
		{"a write", func(t *testing.T) string { return write(t, dir, "f/f.go", "package f // edited\n") }},
		{"a rename over the file", func(t *testing.T) string {
			if err := os.Rename(write(t, dir, "f/new~", "package f\n"), known); err != nil {
				t.Fatal(err)
			}
			return known
		}},
		{"a new folder", func(t *testing.T) string { return write(t, dir, "g/h/h.go", "package h\n") }},
		{"a file in it", func(t *testing.T) string { return write(t, dir, "g/h/i.go", "package h\n") }},
		{"a removal", func(t *testing.T) string {
			path := filepath.Join(dir, "g/h/i.go")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			return path
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, dir, "tmp/out", c.name)   // not watched
			write(t, dir, "f/.f.go.swp", "mm") // an editor's own
			want := c.edit(t)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			for {
				files, err := tree.Next(ctx)
				if err != nil {
					t.Fatalf("%s was never told: %v", want, err)
				}
				if slices.Contains(files, want) {
					return
				}
				if slices.ContainsFunc(files, func(f string) bool { return filepath.Base(f) == "out" || filepath.Base(f) == ".f.go.swp" }) {
					t.Fatalf("told %v", files)
				}
			}
		})
	}
}

func TestGraph(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":         "module example.com/m\n\ngo 1.26\n",
		"a/main.go":      "package main\n\nimport _ \"example.com/m/shared\"\n\nfunc main() {}\n",
		"b/main.go":      "package main\n\nimport _ \"embed\"\n\n//go:embed page.html\nvar page string\n\nfunc main() { _ = page }\n",
		"b/page.html":    "<p>",
		"shared/s.go":    "package shared\n",
		"shared/read.me": "",
	} {
		write(t, dir, name, text)
	}
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	g, err := watch.Read(t.Context(), dir, []string{a, b})
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string][2]bool{
		"a/main.go":         {true, false},
		"a/new.go":          {true, false},
		"shared/s.go":       {true, false},
		"shared/s_test.go":  {false, false},
		"shared/read.me":    {false, false},
		"b/page.html":       {false, true},
		"go.mod":            {true, true},
		"elsewhere/main.go": {false, false},
	} {
		files := []string{filepath.Join(dir, file)}
		if got := [2]bool{g.Touched(a, files), g.Touched(b, files)}; got != want {
			t.Errorf("%s touches a, b: %v, want %v", file, got, want)
		}
	}
}
