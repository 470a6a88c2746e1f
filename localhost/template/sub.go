package template

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// sub is Fn::Sub: a text, or [text, {Name: value}], with ${Name},
// ${Resource.Attribute} and, for a literal ${…}, ${!…}.
func (r *resolver) sub(n, arg *yaml.Node) (*yaml.Node, error) {
	text, own := arg, (*yaml.Node)(nil)
	if arg != nil && arg.Kind == yaml.SequenceNode && len(arg.Content) == 2 {
		text, own = deref(arg.Content[0]), deref(arg.Content[1])
	}
	if text == nil || text.Kind != yaml.ScalarNode || (own != nil && own.Kind != yaml.MappingNode) {
		return nil, r.at(n, "Fn::Sub takes a text, or a list of a text and a mapping")
	}
	var b strings.Builder
	for rest := text.Value; ; {
		before, after, found := strings.Cut(rest, "${")
		b.WriteString(before)
		if !found {
			return scalar(n, b.String()), nil
		}
		name, following, closed := strings.Cut(after, "}")
		if !closed {
			return nil, r.at(n, "Fn::Sub: a ${ is not closed; for a literal one write ${!…}")
		}
		rest = following
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			b.WriteString("${" + literal + "}")
			continue
		}
		value, err := r.substitute(n, own, strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		b.WriteString(value)
	}
}

func (r *resolver) substitute(n, own *yaml.Node, name string) (string, error) {
	var v *yaml.Node
	var err error
	switch value := field(own, name); {
	case value != nil:
		v, err = r.resolve(value)
	case strings.Contains(name, "."):
		v, err = r.getAtt(n, scalar(n, name))
	default:
		v, err = r.ref(n, scalar(n, name))
	}
	switch {
	case err != nil:
		return "", err
	case v == nil:
		return "", r.at(n, "${%s} has no value on this machine: %s", name, instead)
	case v.Kind != yaml.ScalarNode:
		return "", r.at(n, "${%s} is not a text", name)
	}
	return v.Value, nil
}
