package cli

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/tandem-api/tandem/localhost/dotenv"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/config"
)

// DefaultTemplate is the template where no flag names one.
const DefaultTemplate = "template.yaml"

// TemplateFlags are the flags of the commands that read the template.
type TemplateFlags struct {
	Path       string
	parameters parameters
	Only       string // the function whose variables are used; "": all
}

// Add declares the flags.
func (t *TemplateFlags) Add(flags *flag.FlagSet) {
	t.parameters = parameters{}
	flags.StringVar(&t.Path, "template", DefaultTemplate, "the SAM template with the functions")
	flags.Var(t.parameters, "parameter", "a value for a parameter of the template, as `NAME=VALUE`; may be repeated")
}

// parameters is a flag such as Environment=staging.
type parameters map[string]string

func (p parameters) String() string { return "" }

func (p parameters) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return fmt.Errorf("%q is not NAME=VALUE", text)
	}
	p[name] = value
	return nil
}

// Dir is the folder that the template's paths start from.
func (t *TemplateFlags) Dir() string { return filepath.Dir(t.Path) }

// Setup is what a command reads before it opens anything. What is wrong in it is a
// UsageError.
type Setup struct {
	Template *template.Template
	Config   config.Config
	Lookup   config.Lookup // the environment, .env and the variables of the template's functions
}

// Read reads the environment, .env, the template and what goes with it. The address,
// where it is not empty, wins over ADDR.
func (t *TemplateFlags) Read(h Host, addr string, isolated bool) (Setup, error) {
	lookup, err := dotenv.Lookup(h.Lookup, dotenv.File)
	if err != nil {
		return Setup{}, UsageError{err}
	}
	lookup = withAddr(lookup, addr)
	var s Setup
	if s.Template, err = t.Load(lookup); err != nil {
		return Setup{}, UsageError{err}
	}
	used := s.Template.Functions()
	if f := s.Template.Function(t.Only); f != nil {
		used = []*template.Function{f}
	}
	var own func(*template.Function) bool
	if isolated {
		own = func(f *template.Function) bool { return ours(f, t.Dir(), h.Functions) }
	}
	if s.Lookup, err = withTemplate(lookup, used, own); err != nil {
		return Setup{}, UsageError{err}
	}
	s.Config, err = settingsFrom(s.Lookup)
	return s, err
}

// Load reads the template, with the parameters that samconfig.toml has for it.
func (t *TemplateFlags) Load(lookup config.Lookup) (*template.Template, error) {
	overrides, err := template.SamConfig(filepath.Join(t.Dir(), "samconfig.toml"), "")
	if err != nil {
		return nil, err
	}
	o := template.Options{Lookup: lookup, Parameters: t.parameters, Overrides: overrides}
	if addr, ok := lookup("ADDR"); ok && addr != "" {
		o.Endpoint = "http://" + addr
	}
	return template.Load(t.Path, o)
}

// withAddr puts the flag over ADDR, so that both are checked in one place.
func withAddr(lookup config.Lookup, addr string) config.Lookup {
	if addr == "" {
		return lookup
	}
	return func(key string) (string, bool) {
		if key == "ADDR" {
			return addr, true
		}
		return lookup(key)
	}
}

// withTemplate returns a lookup that knows the variables which the template gives to
// its functions, too. In one process the functions share them: two values for one
// variable are an error. Where each function has a process of its own, what they do not
// agree on is left out, for this process, which has the workers and the pages. There,
// own says which functions are ours, and the others' are not for this process at all. A
// variable that has no value on this machine stays unset, and what needs it will say so.
func withTemplate(lookup config.Lookup, functions []*template.Function, own func(*template.Function) bool) (config.Lookup, error) {
	values, from := map[string]string{}, map[string]string{}
	var wrong []error
	unsettled := map[string]bool{}
	for _, f := range functions {
		env, err := f.Env()
		if err != nil {
			wrong = append(wrong, err)
		}
		if own != nil && !own(f) {
			continue
		}
		for key, value := range env {
			if old, ok := values[key]; ok && old != value {
				unsettled[key] = true
				if own == nil {
					wrong = append(wrong, fmt.Errorf("%s: %s and %s have two values for %s, and share one process here", f.Position, from[key], f.LogicalID, key))
				}
			}
			values[key], from[key] = value, f.LogicalID
		}
	}
	return func(key string) (string, bool) {
		if v, ok := lookup(key); ok {
			return v, true
		}
		v, ok := values[key]
		return v, ok && !unsettled[key]
	}, errors.Join(wrong...)
}
