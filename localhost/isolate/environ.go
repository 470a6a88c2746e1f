package isolate

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/tandem-api/tandem/localhost/template"
)

// environ is what a function sees of variables beside Lambda's own: what the template
// gives it, as on Lambda. A variable that was forgotten there is missing here too.
func environ(f *template.Function, o Options) (map[string]string, error) {
	env, err := f.Env()
	if err != nil {
		return nil, err
	}
	for name, value := range o.Local {
		if env[name] == "" && f.Declares(name) {
			env[name] = value
		}
	}
	maps.Copy(env, o.Role)
	if url, ok := env["DATABASE_URL"]; ok {
		if env["DATABASE_URL"], err = sameFile(url); err != nil {
			return nil, fmt.Errorf("%s: DATABASE_URL: %w", f.LogicalID, err)
		}
	}
	return env, nil
}

// sameFile makes the path in an URL of an SQLite file absolute: a process in another
// folder means the same file by it.
func sameFile(url string) (string, error) {
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok || path == "" || path == ":memory:" {
		return url, nil
	}
	path, err := filepath.Abs(path)
	return "sqlite:" + path, err
}
