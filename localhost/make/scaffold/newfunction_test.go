package scaffold_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/localhost/make/scaffold"
)

const templateYAML = `Resources:
  # Functions, in order.

  BarFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/bar/bootstrap

  FooFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/foo/bootstrap

  # What they share.

  Api:
    Type: AWS::Serverless::HttpApi
`

const functionsGo = `package main

import (
	"example.org/old/functions/bar"
	"example.org/old/functions/foo"
	"example.org/old/shared/function"
)

// functions lists every function.
func functions() []function.Function {
	return []function.Function{
		bar.Function,
		foo.Function,
	}
}

func serve() {}
`

func small(t *testing.T) string {
	return tree(t, map[string]string{
		"go.mod":                 "module example.org/old\n",
		"template.yaml":          templateYAML,
		"localhost/functions.go": functionsGo,
		"functions/foo/foo.go":   "package foo\n",
	})
}

// inOrder demands that the parts stand in the text, one after the other.
func inOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, p := range parts {
		_, after, found := strings.Cut(rest, p)
		if !found {
			t.Errorf("no %q, or not in its place:\n%s", p, text)
			return
		}
		rest = after
	}
}

func TestNewFunctionTakesItsPlaceInTheAlphabet(t *testing.T) {
	for name, c := range map[string]struct{ resources, list []string }{
		"apple": {
			[]string{"# Functions, in order.\n\n  AppleFunction:", "\n\n  BarFunction:", "\n\n  FooFunction:", "\n\n  # What they share."},
			[]string{"functions/apple\"\n\t\"example.org/old/functions/bar", "apple.Function,\n\t\tbar.Function"},
		},
		"cat": {
			[]string{"  BarFunction:", "\n\n  CatFunction:", "CodeUri: functions/cat/bootstrap", "Path: /cat\n\n  FooFunction:"},
			[]string{"functions/bar\"\n\t\"example.org/old/functions/cat\"\n", "bar.Function,\n\t\tcat.Function,\n\t\tfoo"},
		},
		"zebra2": {
			[]string{"  FooFunction:", "\n\n  Zebra2Function:", "Path: /zebra2\n\n  # What they share."},
			[]string{"functions/foo\"\n\t\"example.org/old/functions/zebra2\"\n", "foo.Function,\n\t\tzebra2.Function,\n\t}"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := small(t)
			written, err := scaffold.NewFunction(t.Context(), root, name)
			if err != nil {
				t.Fatal(err)
			}
			inOrder(t, read(t, root, "template.yaml"), c.resources...)
			inOrder(t, read(t, root, "localhost/functions.go"), c.list...)
			for _, path := range written {
				if _, err := os.Stat(filepath.Join(root, path)); err != nil {
					t.Errorf("it says that it wrote %s: %v", path, err)
				}
			}
			inOrder(t, read(t, root, "functions/"+name+"/"+name+".go"), "package "+name, `"example.org/old/shared/function"`, `"/`+name+`"`)
		})
	}
}

func TestNewFunctionRefusesANameAndChangesNothing(t *testing.T) {
	for name, why := range map[string]string{
		"":                      "lower-case",
		"Hello":                 "lower-case",
		"he-llo":                "lower-case",
		"2nd":                   "letter first",
		"../up":                 "lower-case",
		strings.Repeat("a", 33): "32 at most",
		"func":                  "word of Go",
		"string":                "word of Go",
		"internal":              "meaning already",
		"function":              "meaning already",
		"foo":                   "another function",
		"serve":                 "declared in localhost/",
	} {
		t.Run(name, func(t *testing.T) {
			root := small(t)
			_, err := scaffold.NewFunction(t.Context(), root, name)
			if !errors.Is(err, scaffold.ErrName) || !strings.Contains(err.Error(), why) {
				t.Errorf("got %v, want ErrName with %q", err, why)
			}
			unchanged(t, root)
		})
	}
}

func TestNewFunctionChangesNothingWhereItCannotChangeAll(t *testing.T) {
	for name, broken := range map[string]struct{ path, text, says string }{
		"a list that is no Go":   {"localhost/functions.go", "package main\n\nfunc {", "functions.go"},
		"no list":                {"localhost/functions.go", "package main\n", "no list"},
		"no function in SAM":     {"template.yaml", "Resources: {}\n", "template.yaml"},
		"a resource of its name": {"template.yaml", templateYAML + "\n  CatFunction:\n    Type: AWS::SNS::Topic\n", "CatFunction already"},
	} {
		t.Run(name, func(t *testing.T) {
			root := small(t)
			if err := os.WriteFile(filepath.Join(root, broken.path), []byte(broken.text), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := scaffold.NewFunction(t.Context(), root, "cat")
			if err == nil || !strings.Contains(err.Error(), broken.says) {
				t.Errorf("got %v, want an error with %q", err, broken.says)
			}
			if _, err := os.Stat(filepath.Join(root, "functions", "cat")); err == nil {
				t.Error("the function's folder is there")
			}
			if got := read(t, root, broken.path); got != broken.text {
				t.Errorf("%s was changed", broken.path)
			}
		})
	}
}

func unchanged(t *testing.T, root string) {
	t.Helper()
	if read(t, root, "template.yaml") != templateYAML || read(t, root, "localhost/functions.go") != functionsGo {
		t.Error("something was changed")
	}
}
