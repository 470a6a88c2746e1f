package scaffold_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/localhost/make/scaffold"
)

// tree writes files, by their paths, into a new folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for path, text := range files {
		to := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func read(t *testing.T, root, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRename(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"an import":                  {`import "example.org/old/shared"`, `import "example.com/acme/api/shared"`},
		"the module alone":           {"go get example.org/old.", "go get example.com/acme/api."},
		"a URL":                      {"https://example.org/old#tour", "https://example.com/acme/api#tour"},
		"twice in a line":            {"example.org/old, example.org/old", "example.com/acme/api, example.com/acme/api"},
		"a longer name":              {"example.org/older and example.org/old-times", "example.org/older and example.org/old-times"},
		"the end of a longer name":   {"www.example.org/old", "www.example.org/old"},
		"a folder of another's path": {"mirror/example.org/old", "mirror/example.org/old"},
		"nothing":                    {"old", "old"},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(t, map[string]string{"go.mod": "module example.org/old\n", "docs/a.md": c.before})
			changed, err := scaffold.Rename(t.Context(), root, "example.com/acme/api")
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, root, "docs/a.md"); got != c.after {
				t.Errorf("%q became %q, want %q", c.before, got, c.after)
			}
			if slices.Contains(changed, "docs/a.md") != (c.before != c.after) {
				t.Errorf("it says that it changed %v", changed)
			}
			if got := read(t, root, "go.mod"); !strings.Contains(got, "module example.com/acme/api\n") {
				t.Errorf("go.mod: %s", got)
			}
		})
	}
}

func TestRenameSortsImportsAgain(t *testing.T) {
	root := tree(t, map[string]string{
		"go.mod": "module example.org/old\n",
		"a.go":   "package a\n\nimport (\n\t_ \"example.org/old/b\"\n\t_ \"fmt\"\n)\n",
	})
	if _, err := scaffold.Rename(t.Context(), root, "zebra.example/api"); err != nil {
		t.Fatal(err)
	}
	want := "package a\n\nimport (\n\t_ \"fmt\"\n\t_ \"zebra.example/api/b\"\n)\n"
	if got := read(t, root, "a.go"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestRenameLeavesAlone(t *testing.T) {
	aside := map[string]string{
		".git/config":    "url = https://example.org/old",
		"tmp/log/a.log":  "example.org/old",
		".build/foo.zip": "example.org/old",
		"logo.png":       "\xff\xfe example.org/old",
	}
	files := maps.Clone(aside)
	files["go.mod"] = "module example.org/old\n"
	root := tree(t, files)
	if _, err := scaffold.Rename(t.Context(), root, "example.com/acme/api"); err != nil {
		t.Fatal(err)
	}
	for path, text := range aside {
		if got := read(t, root, path); got != text {
			t.Errorf("%s became %q", path, got)
		}
	}
}

func TestRenameRefusesAWrongPathAndChangesNothing(t *testing.T) {
	for _, module := range []string{"has space", "example.com/../api", "/example.com", "example.com/Acme!", "-x"} {
		t.Run(module, func(t *testing.T) {
			root := tree(t, map[string]string{"go.mod": "module example.org/old\n", "README.md": "example.org/old"})
			if _, err := scaffold.Rename(t.Context(), root, module); err == nil {
				t.Error("no error")
			}
			if read(t, root, "go.mod") != "module example.org/old\n" || read(t, root, "README.md") != "example.org/old" {
				t.Error("something was changed")
			}
		})
	}
}

func TestRenameToTheSameNameIsNoChange(t *testing.T) {
	root := tree(t, map[string]string{"go.mod": "module example.org/old\n"})
	if changed, err := scaffold.Rename(t.Context(), root, "example.org/old"); err != nil || len(changed) != 0 {
		t.Errorf("changed %v, %v", changed, err)
	}
}
