package bundle_test

import (
	"archive/zip"
	"bytes"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/localhost/make/bundle"
)

// project makes a project with functions that import nothing of others.
func project(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, "go.mod"), "module example.com/project\n\ngo 1.26\n")
	for _, name := range names {
		write(t, filepath.Join(root, "functions", name, "bootstrap", "main.go"),
			"package main\n\nimport (\n\t\"fmt\"\n\t\"net\"\n)\n\nfunc main() { fmt.Println(\""+name+"\", net.IPv4len) }\n")
	}
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFunctionsAreTheFoldersWithABootstrap(t *testing.T) {
	root := project(t, "foo", "bar")
	write(t, filepath.Join(root, "functions", "notes", "notes.go"), "package notes\n")
	got, err := bundle.Functions(root)
	if err != nil || !slices.Equal(got, []string{"bar", "foo"}) {
		t.Errorf("got %v, %v; want bar and foo", got, err)
	}
}

func TestBootstrapIsStaticStrippedAndForItsProcessor(t *testing.T) {
	root := project(t, "foo")
	for name, want := range map[string]elf.Machine{"x86_64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "amd64": elf.EM_X86_64} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "new", "folder", "bootstrap")
			if err := bundle.Build(t.Context(), root, "foo", name, out); err != nil {
				t.Fatal(err)
			}
			binary, err := elf.Open(out)
			if err != nil {
				t.Fatal(err)
			}
			defer binary.Close()
			if binary.Machine != want {
				t.Errorf("built for %s, want %s", binary.Machine, want)
			}
			for _, segment := range binary.Progs {
				if segment.Type == elf.PT_INTERP {
					t.Error("it is linked dynamically")
				}
			}
			if binary.Section(".symtab") != nil || binary.Section(".debug_info") != nil || binary.Section(".zdebug_info") != nil {
				t.Error("it is not stripped")
			}
			info, err := buildinfo.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			var settings []string
			for _, s := range info.Settings {
				settings = append(settings, s.Key+"="+s.Value)
			}
			for _, s := range []string{"-tags=lambda.norpc", "-trimpath=true", "CGO_ENABLED=0"} {
				if !slices.Contains(settings, s) {
					t.Errorf("built without %s: %v", s, settings)
				}
			}
		})
	}
}

func TestAllBuildsAndZipsTheSameBytesAgain(t *testing.T) {
	root := project(t, "foo", "bar")
	var before [][]byte
	for range 2 {
		dir := t.TempDir()
		built, err := bundle.All(t.Context(), root, dir, "x86_64", []string{"foo", "bar"})
		if err != nil {
			t.Fatal(err)
		}
		var zips [][]byte
		for i, name := range []string{"foo", "bar"} {
			text, err := os.ReadFile(filepath.Join(dir, name+".zip"))
			if err != nil {
				t.Fatal(err)
			}
			zips = append(zips, text)
			if got := built[i]; got.Name != name || got.Zip != int64(len(text)) || got.Binary < got.Zip {
				t.Errorf("it says %+v of an archive of %d bytes", got, len(text))
			}
			checkZip(t, text, filepath.Join(dir, name, "bootstrap"))
		}
		if before != nil && !slices.EqualFunc(before, zips, bytes.Equal) {
			t.Error("a second build of the same sources has other bytes")
		}
		before = zips
	}
}

// checkZip demands one executable file, with the bytes of the binary.
func checkZip(t *testing.T, archive []byte, binary string) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.File) != 1 || r.File[0].Name != "bootstrap" || r.File[0].Mode().Perm() != 0o755 {
		t.Fatalf("the archive holds %+v, want an executable bootstrap alone", r.File)
	}
	f, err := r.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(binary)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the archive's bootstrap is not the binary (%v)", err)
	}
}

func TestBuildSaysWhatIsWrong(t *testing.T) {
	root := project(t, "foo")
	write(t, filepath.Join(root, "functions", "broken", "bootstrap", "main.go"), "package main\n\nfunc main() { nothing() }\n")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx            context.Context
		function, arch string
		says           string
	}{
		"the compiler's words":    {t.Context(), "broken", "arm64", "undefined: nothing"},
		"no such function":        {t.Context(), "nowhere", "arm64", "nowhere"},
		"an unknown architecture": {t.Context(), "foo", "sparc", "sparc"},
		"the end of the context":  {cancelled, "foo", "arm64", "canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			err := bundle.Build(c.ctx, root, c.function, c.arch, filepath.Join(t.TempDir(), "bootstrap"))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error with %q", err, c.says)
			}
		})
	}
	if err := bundle.Build(t.Context(), root, "foo", "sparc", ""); !errors.Is(err, bundle.ErrUnknownArch) {
		t.Errorf("got %v, want ErrUnknownArch", err)
	}
}
