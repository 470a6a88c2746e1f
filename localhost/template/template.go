// Package template reads a SAM template as people write it, and says what the local
// host needs of it: the functions, their routes, schedules and variables, and how
// the API in front of them is set up.
//
// It resolves what can be known on this machine: parameters, conditions, mappings
// and the intrinsic functions, in their short (!Ref) and long ({Ref: …}) forms. What
// only a deployment knows (the ARN of a table, a value in SSM) is no error until
// somebody asks for it.
package template

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"

	"github.com/tandem-api/tandem/shared/config"
)

// Options say what a template is read with.
type Options struct {
	// Parameters are the values given on the command line, by the parameter's
	// name. They win over all others; a name that the template does not have is
	// an error.
	Parameters map[string]string
	// Lookup finds a variable of the environment. A parameter of the variable's
	// name takes its value from it, and so does a function's variable, as under
	// `sam local`. Nil: nothing is looked up.
	Lookup config.Lookup
	// Overrides are values from a file, such as samconfig.toml (see SamConfig).
	// The environment wins over them, they win over a parameter's Default, and a
	// name that the template does not have is left aside.
	Overrides map[string]string
	// Region is AWS::Region; "" means AWS_REGION of the environment, else us-east-1.
	Region string
	// Endpoint is the URL of the local gateway, for `!GetAtt Api.ApiEndpoint`;
	// "" means http://127.0.0.1:5000.
	Endpoint string
}

// Template is a template that has been read. It is safe for concurrent use.
type Template struct {
	functions []*Function
	apis      []*API
	routes    []Route
}

// Load reads the template at path. The error joins everything that is wrong, each
// with its file, line and column.
func Load(path string, o Options) (*Template, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	return Parse(path, text, o)
}

// Parse reads a template that is in memory already. The name stands for the file in
// errors.
func Parse(name string, text []byte, o Options) (*Template, error) {
	root, err := parse(name, text)
	if err != nil {
		return nil, err
	}
	r := newResolver(name, o)
	r.read(root)
	t := &Template{}
	resources := r.resourcesOf("AWS::Serverless::Function")
	for _, res := range resources {
		t.functions = append(t.functions, r.function(res))
	}
	r.functions = t.functions
	t.routes = r.routes(t)
	t.apis = apisOf(t.routes)
	if err := errors.Join(r.wrong...); err != nil {
		return nil, err
	}
	return t, nil
}

// parse returns the template's top mapping.
func parse(name string, text []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		return nil, fmt.Errorf("%s: the template is empty", name)
	}
	if expanded(&doc, map[*yaml.Node]int{}) >= maxNodes {
		return nil, fmt.Errorf("%s: with its aliases written out, the template has more than %d nodes", name, maxNodes)
	}
	if root := doc.Content[0]; root.Kind == yaml.MappingNode {
		return root, nil
	}
	return nil, fmt.Errorf("%s: a template is a mapping, with Resources", name)
}

// Functions returns the functions in the order of the template.
func (t *Template) Functions() []*Function { return t.functions }

// Function finds a function by its folder (foo), its logical id (FooFunction), its
// FunctionName or its ARN, as invoking it by the Lambda API allows. It is nil where
// there is none.
func (t *Template) Function(name string) *Function {
	for _, f := range t.functions {
		if name == f.LogicalID || name == f.Name || name == f.ARN() {
			return f
		}
	}
	for _, f := range t.functions {
		if name != "" && name == f.Folder {
			return f
		}
	}
	return nil
}

// Routes returns what the functions' HttpApi and Api events ask for, in the order of
// the template.
func (t *Template) Routes() []Route { return t.routes }

// APIs returns the APIs that have routes; without any route there is none.
func (t *Template) APIs() []*API { return t.apis }

// Schedules returns what the functions' Schedule and ScheduleV2 events ask for.
func (t *Template) Schedules() []Schedule {
	var all []Schedule
	for _, f := range t.functions {
		for _, e := range f.Events {
			if e.Schedule != nil {
				all = append(all, *e.Schedule)
			}
		}
	}
	return all
}

// Position is a place in the template.
type Position struct {
	File         string
	Line, Column int // from 1; 0: the file as a whole
}

func (p Position) String() string {
	if p.Line == 0 {
		return filepath.ToSlash(p.File)
	}
	return fmt.Sprintf("%s:%d:%d", filepath.ToSlash(p.File), p.Line, p.Column)
}

// Error is something wrong at a place of the template. Its text says what to do.
type Error struct {
	Position Position
	Text     string
}

func (e *Error) Error() string { return e.Position.String() + ": " + e.Text }
