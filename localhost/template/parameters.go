package template

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// parameter is an entry of Parameters with the value that it has here.
type parameter struct {
	name, kind string
	node       *yaml.Node
	noEcho     bool
	value      string
	set        bool // false: there is no value for it on this machine
}

// secret says that the value lives elsewhere on purpose, so that a function must
// do without it, or be given it, on this machine.
func (p *parameter) secret() bool {
	return p.noEcho || strings.HasPrefix(p.kind, "AWS::SSM::Parameter::Value<")
}

// list says that the value is a list, written with commas.
func (p *parameter) list() bool {
	return p.kind == "CommaDelimitedList" || strings.HasPrefix(strings.TrimPrefix(p.kind, "AWS::SSM::Parameter::Value<"), "List<") ||
		p.kind == "AWS::SSM::Parameter::Value<CommaDelimitedList>"
}

func (r *resolver) readParameters(section *yaml.Node) {
	for _, e := range pairs(section) {
		if e.value.Kind != yaml.MappingNode {
			r.fail(r.at(e.value, "parameter %s is not a mapping with a Type", e.name))
			continue
		}
		p := &parameter{name: e.name, node: e.value, kind: "String"}
		if kind := field(e.value, "Type"); kind != nil {
			p.kind = kind.Value
		}
		if n := field(e.value, "NoEcho"); n != nil {
			p.noEcho = strings.EqualFold(n.Value, "true")
		}
		r.parameters[e.name] = p
		r.value(p)
	}
	for name := range r.o.Parameters {
		if r.parameters[name] == nil {
			r.fail(r.at(nil, "there is no parameter %s: it has %s", name, r.parameterNames()))
		}
	}
}

func (r *resolver) parameterNames() string {
	if len(r.parameters) == 0 {
		return "none"
	}
	var names []string
	for name := range r.parameters {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// value finds the parameter's value: given, from the environment, from a file, or
// the default. An SSM parameter's Default is the name under which SSM has the value,
// and so no value here.
func (r *resolver) value(p *parameter) {
	given := true
	p.value, p.set = r.o.Parameters[p.name]
	if !p.set {
		p.value, p.set = r.o.Lookup(p.name)
	}
	if !p.set {
		p.value, p.set = r.o.Overrides[p.name]
	}
	if !p.set {
		given = false
		if n := field(p.node, "Default"); n != nil && !strings.HasPrefix(p.kind, "AWS::SSM::Parameter::Value<") {
			if n.Kind != yaml.ScalarNode {
				r.fail(r.at(n, "the Default of parameter %s is not a text", p.name))
				return
			}
			p.value, p.set = n.Value, true
		}
	}
	if p.set {
		r.check(p, given)
	}
}

// check holds the value against what the template allows. A secret's value is not
// in the errors.
func (r *resolver) check(p *parameter, given bool) {
	n, shown := field(p.node, "Default"), strconv.Quote(p.value)
	if n == nil || given {
		n = p.node
	}
	if p.secret() {
		shown = "the value"
	}
	values := []string{p.value}
	if p.list() {
		values = strings.Split(p.value, ",")
	}
	allowed := field(p.node, "AllowedValues")
	for _, v := range values {
		v = strings.TrimSpace(v)
		if allowed != nil && !slices.ContainsFunc(allowed.Content, func(a *yaml.Node) bool { return deref(a).Value == v }) {
			r.fail(r.at(n, "parameter %s: %s is not one of its AllowedValues (%s)", p.name, shown, listed(allowed)))
		}
		if p.kind == "Number" || p.kind == "List<Number>" {
			r.checkNumber(p, n, v, shown)
		}
	}
	r.bound(p, n, "MinLength", func(bound float64) bool { return float64(utf8.RuneCountInString(p.value)) >= bound }, shown)
	r.bound(p, n, "MaxLength", func(bound float64) bool { return float64(utf8.RuneCountInString(p.value)) <= bound }, shown)
	if pattern := field(p.node, "AllowedPattern"); pattern != nil {
		// CloudFormation's patterns are Java's, which has a few forms that Go
		// does not: those are left to CloudFormation.
		if re, err := regexp.Compile("^(?:" + pattern.Value + ")$"); err == nil && !re.MatchString(p.value) {
			r.fail(r.at(n, "parameter %s: %s does not match its AllowedPattern %s", p.name, shown, pattern.Value))
		}
	}
}

func (r *resolver) checkNumber(p *parameter, n *yaml.Node, text, shown string) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		r.fail(r.at(n, "parameter %s: %s is not a number", p.name, shown))
		return
	}
	r.bound(p, n, "MinValue", func(bound float64) bool { return v >= bound }, shown)
	r.bound(p, n, "MaxValue", func(bound float64) bool { return v <= bound }, shown)
}

func (r *resolver) bound(p *parameter, n *yaml.Node, name string, holds func(float64) bool, shown string) {
	limit := field(p.node, name)
	if limit == nil {
		return
	}
	bound, err := strconv.ParseFloat(limit.Value, 64)
	if err != nil {
		r.fail(r.at(limit, "%s of parameter %s is not a number", name, p.name))
		return
	}
	if !holds(bound) {
		r.fail(r.at(n, "parameter %s: %s is outside its %s of %s", p.name, shown, name, limit.Value))
	}
}

func listed(n *yaml.Node) string {
	var all []string
	for _, item := range n.Content {
		all = append(all, deref(item).Value)
	}
	return strings.Join(all, ", ")
}
