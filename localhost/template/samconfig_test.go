package template_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/localhost/template"
)

func TestSamConfig(t *testing.T) {
	for _, c := range []struct {
		name, file, text, environment string
		want                          map[string]string
		wrong                         string
	}{
		{name: "a text", text: "[default.local_start_api.parameters]\nparameter_overrides = \"A=1 B=\\\"two words\\\" C=\"",
			want: map[string]string{"A": "1", "B": "two words", "C": ""}},
		{name: "SAM's older form", text: "[default.global.parameters]\nparameter_overrides = \"ParameterKey=A,ParameterValue=1 ParameterKey=B,ParameterValue='x=y z'\"",
			want: map[string]string{"A": "1", "B": "x=y z"}},
		{name: "a list", text: "[default.global.parameters]\nparameter_overrides = [\"A=1\", 'B=two\\ words']",
			want: map[string]string{"A": "1", "B": "two words"}},
		{name: "a table", text: "[default.global.parameters.parameter_overrides]\nA = 1\nB = [\"x\", \"y\"]\nC = true",
			want: map[string]string{"A": "1", "B": "x,y", "C": "true"}},
		{name: "the command's replace the global ones", text: "[default.global.parameters]\nparameter_overrides = \"A=1 B=2\"\n[default.local_start_api.parameters]\nparameter_overrides = \"A=3\"",
			want: map[string]string{"A": "3"}},
		{name: "a deployment's are not for here", text: "[default.deploy.parameters]\nparameter_overrides = \"A=1\"", want: map[string]string{}},
		{name: "another environment", environment: "test", text: "[default.global.parameters]\nparameter_overrides = \"A=1\"\n[test.global.parameters]\nparameter_overrides = \"A=2\"",
			want: map[string]string{"A": "2"}},
		{name: "YAML", file: "samconfig.yaml", text: "default:\n  global:\n    parameters:\n      parameter_overrides: {A: 1, B: }", want: map[string]string{"A": "1", "B": ""}},
		{name: "no overrides", text: "version = 0.1", want: map[string]string{}},
		{name: "bad TOML", text: "[default", wrong: "samconfig.toml: toml:"},
		{name: "no value", text: "[default.global.parameters]\nparameter_overrides = \"A\"", wrong: `default.global.parameters: parameter_overrides: "A" is not Name=value`},
		{name: "a quote", text: "[default.global.parameters]\nparameter_overrides = \"A='b\"", wrong: "a ' is not closed"},
		{name: "a file", text: "[default.global.parameters]\nparameter_overrides = \"file://a\"", wrong: "file:// is not known here"},
		{name: "a number", text: "[default.global.parameters]\nparameter_overrides = 3", wrong: "3 is neither a text, a list nor a table"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.file == "" {
				c.file = "samconfig.toml"
			}
			path := filepath.Join(t.TempDir(), c.file)
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := template.SamConfig(path, c.environment)
			switch {
			case c.wrong != "":
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("got %v, want %q", err, c.wrong)
				}
			case err != nil || !maps.Equal(got, c.want):
				t.Errorf("got %v, %v; want %v", got, err, c.want)
			}
		})
	}
	if got, err := template.SamConfig(filepath.Join(t.TempDir(), "none"), ""); err != nil || got != nil {
		t.Errorf("no file: got %v, %v", got, err)
	}
}
