package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tandem-api/tandem/shared/function"
)

// TestWhoseVariablesAreTheHosts shows which functions' variables become the host's own
// settings.
func TestWhoseVariablesAreTheHosts(t *testing.T) {
	const other = "example.com/other"
	for _, c := range []struct {
		name, module, code string
		isolated, want     bool
	}{
		{"in one process", other, "functions/foo/bootstrap", false, true},
		{"isolated, of this module", module, "functions/foo/bootstrap", true, true},
		{"isolated, of this module, without bootstrap", module, "functions/foo", true, true},
		{"isolated, of another module", other, "functions/foo/bootstrap", true, false},
		{"isolated, elsewhere in this module", module, "elsewhere/foo/bootstrap", true, false},
		{"isolated, unknown", module, "functions/nope/bootstrap", true, false},
		{"isolated, no module", "", "functions/foo/bootstrap", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			text := fmt.Sprintf("Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: %s, Environment: {Variables: {LOG_LEVEL: WARNING, AUTH_SECRET: short}}}}\n", c.code)
			files := map[string]string{"template.yaml": text, "go.mod": "module " + c.module + "\n"}
			if c.module == "" {
				delete(files, "go.mod")
			}
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Chdir(dir) // it keeps a secret there
			flags := TemplateFlags{Path: DefaultTemplate}
			h := Host{Lookup: func(string) (string, bool) { return "", false }, Functions: []function.Function{{Name: "foo"}}}
			s, err := flags.Read(h, "", c.isolated)
			level, found := s.Lookup("LOG_LEVEL")
			if found != c.want || found && level != "WARNING" {
				t.Errorf("LOG_LEVEL is %q, %t", level, found)
			}
			if (err != nil) != c.want { // which the host's settings cannot have
				t.Errorf("got %v", err)
			}
		})
	}
}
