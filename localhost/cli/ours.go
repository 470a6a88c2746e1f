package cli

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/function"
)

// module is the path of this program's module.
var module = strings.TrimSuffix(reflect.TypeFor[Host]().PkgPath(), "/localhost/cli")

// ours says whether a function is this module's own. The variables of all others are
// not meant for this process: a DATABASE_URL of theirs is no database of ours.
func ours(f *template.Function, dir string, known []function.Function) bool {
	return slices.ContainsFunc(known, func(k function.Function) bool { return k.Name == f.Folder }) && inModule(dir, f.CodeURI)
}

// inModule says whether a CodeUri, relative to dir, lies in functions/ of this module.
func inModule(dir, codeURI string) bool {
	code := filepath.FromSlash(codeURI)
	if !filepath.IsAbs(code) {
		code = filepath.Join(dir, code)
	}
	code, err := filepath.Abs(code)
	if err != nil {
		return false
	}
	if filepath.Base(code) == "bootstrap" {
		code = filepath.Dir(code)
	}
	functions := filepath.Dir(code)
	if filepath.Base(functions) != "functions" {
		return false
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(functions), "go.mod"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) >= 2 && words[0] == "module" {
			return strings.Trim(words[1], `"`) == module
		}
	}
	return false
}
