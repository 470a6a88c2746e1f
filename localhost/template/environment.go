package template

import (
	"errors"
	"fmt"
	"strings"
)

// VariableError says why a function's variable has no value on this machine.
type VariableError struct {
	Function string // its logical id
	Name     string // the variable's
	Err      error
}

func (e *VariableError) Error() string {
	return fmt.Sprintf("variable %s of %s: %v", e.Name, e.Function, e.Err)
}

func (e *VariableError) Unwrap() error { return e.Err }

// Env returns the function's variables: those of Environment, with Globals. A
// variable that the environment has (see Options.Lookup) takes its value from there.
//
// Left out is what has no value on this machine by intention: a NoEcho or SSM
// parameter without a value or with an empty default, AWS::NoValue, and a dynamic
// reference ({{resolve:ssm:…}}). The function then sees it unset.
//
// The error joins a *VariableError for each variable that cannot be resolved; the
// others are in the map nevertheless.
func (f *Function) Env() (map[string]string, error) {
	f.resolver.mu.Lock()
	defer f.resolver.mu.Unlock()
	env := map[string]string{}
	var wrong []error
	for _, p := range pairs(f.variables) {
		value, ok, err := f.variable(p)
		if err != nil {
			wrong = append(wrong, &VariableError{f.LogicalID, p.name, err})
		}
		if ok {
			env[p.name] = value
		}
	}
	return env, errors.Join(wrong...)
}

// Declares says whether the template gives the function a variable of this name, be it
// one that has no value on this machine.
func (f *Function) Declares(name string) bool {
	return field(f.variables, name) != nil
}

func (f *Function) variable(p pair) (value string, ok bool, err error) {
	if value, ok := f.resolver.o.Lookup(p.name); ok {
		return value, true, nil
	}
	value, ok, err = f.resolver.text(p.value)
	if err != nil || !ok || strings.Contains(value, "{{resolve:") {
		return "", false, err
	}
	return value, true, nil
}
