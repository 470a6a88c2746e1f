package isolate_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/localhost/isolate"
	"github.com/tandem-api/tandem/localhost/template"
)

// read reads a template with these resources.
func read(t *testing.T, resources string) *template.Template {
	t.Helper()
	described, err := template.Parse("template.yaml", []byte("Resources:\n"+resources), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return described
}

// files writes files below a new folder, and returns it. Names that end with a * are
// executable.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		mode := os.FileMode(0o644)
		if plain, ok := strings.CutSuffix(name, "*"); ok {
			name, mode = plain, 0o755
		}
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), mode)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const mainPackage = "package main\n\nfunc main() {}\n"

func TestFind(t *testing.T) {
	for name, c := range map[string]struct {
		uri   string
		files map[string]string
		pkg   string // relative
		file  string
	}{
		"a main package":                      {uri: "f/bootstrap", files: map[string]string{"f/bootstrap/main.go": mainPackage}, pkg: "f/bootstrap"},
		"a folder around a main package":      {uri: "./f/", files: map[string]string{"f/f.go": "package f\n", "f/bootstrap/main.go": mainPackage}, pkg: "f/bootstrap"},
		"a folder with an executable":         {uri: "dist", files: map[string]string{"dist/bootstrap*": "#!"}, file: "dist/bootstrap"},
		"an executable":                       {uri: "dist/rusty", files: map[string]string{"dist/rusty*": "#!"}, file: "dist/rusty"},
		"built by SAM":                        {uri: "rust", files: map[string]string{"rust/main.rs": "", ".aws-sam/build/F/bootstrap*": "#!"}, file: ".aws-sam/build/F/bootstrap"},
		"bundled":                             {uri: "rust", files: map[string]string{"rust/main.rs": "", ".build/rust/bootstrap*": "#!"}, file: ".build/rust/bootstrap"},
		"sources count before what was built": {uri: "f/bootstrap", files: map[string]string{"f/bootstrap/main.go": mainPackage, ".aws-sam/build/F/bootstrap*": "#!"}, pkg: "f/bootstrap"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := files(t, c.files)
			all, err := isolate.Find(dir, read(t, "  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: "+c.uri+"}}\n"))
			if err != nil || len(all) != 1 {
				t.Fatalf("%v, %v", all, err)
			}
			want := isolate.Source{Function: all[0].Function}
			if c.pkg != "" {
				want.Package = filepath.Join(dir, c.pkg)
			}
			if c.file != "" {
				want.File = filepath.Join(dir, c.file)
			}
			if all[0] != want {
				t.Errorf("got %+v, want %+v", all[0], want)
			}
		})
	}
}

func TestFindNamesAllThatCannotRun(t *testing.T) {
	dir := files(t, map[string]string{"notes/bootstrap": "not executable", "py/app.py": "", "lib/lib.go": "package lib\n"})
	all, err := isolate.Find(dir, read(t, `
  Notes: {Type: AWS::Serverless::Function, Properties: {CodeUri: notes, Events: {E: {Type: HttpApi, Properties: {Method: GET, Path: /notes}}}}}
  Python: {Type: AWS::Serverless::Function, Properties: {CodeUri: py, Runtime: python3.13, Events: {E: {Type: HttpApi, Properties: {Method: GET, Path: /py}}}}}
  Library: {Type: AWS::Serverless::Function, Properties: {CodeUri: lib, Events: {E: {Type: HttpApi, Properties: {Method: GET, Path: /lib}}}}}
  Unused: {Type: AWS::Serverless::Function, Properties: {CodeUri: nowhere}}
`))
	if len(all) != 0 || err == nil {
		t.Fatalf("%v, %v", all, err)
	}
	for _, part := range []string{`template.yaml:3:3: Notes: CodeUri "notes" is neither`, "Python", "python3.13 are AWS's own", "Library"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error lacks %q:\n%v", part, err)
		}
	}
	if strings.Contains(err.Error(), "Unused") {
		t.Errorf("a function without a route does not have to run:\n%v", err)
	}
}
