package template

import (
	"encoding/base64"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxDepth bounds how deep intrinsic functions may stand in each other, and with it
// a template that goes round in a circle.
const maxDepth = 100

// deeper goes down one level; done comes up again.
func (r *resolver) deeper(n *yaml.Node) (done func(), err error) {
	if r.depth >= maxDepth {
		return nil, r.at(n, "more than %d functions stand in each other here", maxDepth)
	}
	r.depth++
	return func() { r.depth-- }, nil
}

// resolve evaluates the intrinsic function that n is, if it is one, and returns a
// plain scalar, list or mapping whose items may be functions still. It is nil where
// there is no value: a missing node, AWS::NoValue, or a secret that this machine has
// not been given.
func (r *resolver) resolve(n *yaml.Node) (*yaml.Node, error) {
	n = deref(n)
	name, arg, ok := intrinsic(n)
	if !ok {
		return n, nil
	}
	done, err := r.deeper(n)
	if err != nil {
		return nil, err
	}
	defer done()
	switch name {
	case "Ref":
		return r.ref(n, arg)
	case "Fn::Sub":
		return r.sub(n, arg)
	case "Fn::GetAtt":
		return r.getAtt(n, arg)
	case "Fn::If":
		return r.choose(n, arg)
	case "Fn::FindInMap":
		return r.findInMap(n, arg)
	case "Fn::Join":
		return r.join(n, arg)
	case "Fn::Select":
		return r.pick(n, arg)
	case "Fn::Split":
		return r.split(n, arg)
	case "Fn::Base64":
		text, _, err := r.text(arg)
		return scalar(n, base64.StdEncoding.EncodeToString([]byte(text))), err
	case "Fn::ImportValue":
		return nil, r.at(n, "Fn::ImportValue takes its value from another stack, which only a deployment has: %s", instead)
	case "Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not", "Condition":
		return nil, r.at(n, "%s stands only under Conditions, and in Fn::If by a condition's name", name)
	}
	return nil, r.at(n, "%s is not known here: %s", name, instead)
}

// instead is what can be done about a value that only a deployment knows.
const instead = "write a parameter in its place, or set the variable that needs it in the environment"

// scalar is a text that stands where n does.
func scalar(n *yaml.Node, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Line: n.Line, Column: n.Column}
}

// text resolves n to a text. ok is false where there is no value (see resolve).
func (r *resolver) text(n *yaml.Node) (value string, ok bool, err error) {
	v, err := r.resolve(n)
	if err != nil || v == nil {
		return "", false, err
	}
	if v.Kind != yaml.ScalarNode {
		return "", false, r.at(v, "a text is wanted here")
	}
	if v.Tag == "!!null" {
		return "", false, r.at(v, "null is no value in a template: write \"\" for an empty text, or remove the key")
	}
	return v.Value, true, nil
}

// needed is text where a value must be.
func (r *resolver) needed(n *yaml.Node) (string, error) {
	value, ok, err := r.text(n)
	if err == nil && !ok {
		err = r.at(n, "there is no value for this on this machine: %s", instead)
	}
	return value, err
}

// items resolves n to a list; what has no value is left out.
func (r *resolver) items(n *yaml.Node) ([]*yaml.Node, error) {
	v, err := r.resolve(n)
	if err != nil || v == nil {
		return nil, err
	}
	if v.Kind != yaml.SequenceNode {
		return nil, r.at(v, "a list is wanted here")
	}
	var all []*yaml.Node
	for _, item := range v.Content {
		one, err := r.resolve(item)
		if err != nil {
			return nil, err
		}
		if one != nil {
			all = append(all, one)
		}
	}
	return all, nil
}

// texts resolves n to a list of texts.
func (r *resolver) texts(n *yaml.Node) ([]string, error) {
	items, err := r.items(n)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, item := range items {
		text, err := r.needed(item)
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}

func (r *resolver) choose(n, arg *yaml.Node) (*yaml.Node, error) {
	if err := r.count(n, arg, "Fn::If", 3, 3); err != nil {
		return nil, err
	}
	name := deref(arg.Content[0])
	if name == nil || name.Kind != yaml.ScalarNode {
		return nil, r.at(n, "Fn::If starts with the name of a condition")
	}
	holds, err := r.holds(name, name.Value)
	if err != nil {
		return nil, err
	}
	if holds {
		return r.resolve(arg.Content[1])
	}
	return r.resolve(arg.Content[2])
}

// findInMap is Fn::FindInMap: [map, key, key], and a fourth item
// {DefaultValue: value} as the language extensions have it.
func (r *resolver) findInMap(n, arg *yaml.Node) (*yaml.Node, error) {
	if err := r.count(n, arg, "Fn::FindInMap", 3, 4); err != nil {
		return nil, err
	}
	found := r.mappings
	var path []string
	for _, item := range arg.Content[:3] {
		key, err := r.needed(item)
		if err != nil {
			return nil, err
		}
		path = append(path, key)
		found = field(found, key)
	}
	if found != nil {
		return found, nil // CloudFormation allows no functions in Mappings
	}
	if len(arg.Content) == 4 {
		if fallback := field(arg.Content[3], "DefaultValue"); fallback != nil {
			return r.resolve(fallback)
		}
	}
	return nil, r.at(n, "Mappings has no %s", strings.Join(path, "."))
}

func (r *resolver) join(n, arg *yaml.Node) (*yaml.Node, error) {
	if err := r.count(n, arg, "Fn::Join", 2, 2); err != nil {
		return nil, err
	}
	by, _, err := r.text(arg.Content[0])
	if err != nil {
		return nil, err
	}
	parts, err := r.texts(arg.Content[1])
	return scalar(n, strings.Join(parts, by)), err
}

func (r *resolver) split(n, arg *yaml.Node) (*yaml.Node, error) {
	if err := r.count(n, arg, "Fn::Split", 2, 2); err != nil {
		return nil, err
	}
	by, _, err := r.text(arg.Content[0])
	if err != nil {
		return nil, err
	}
	whole, err := r.needed(arg.Content[1])
	if err != nil {
		return nil, err
	}
	if by == "" {
		return nil, r.at(n, "Fn::Split cannot split at an empty text")
	}
	return list(n, strings.Split(whole, by)), nil
}

func list(n *yaml.Node, values []string) *yaml.Node {
	out := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: n.Line, Column: n.Column}
	for _, v := range values {
		out.Content = append(out.Content, scalar(n, v))
	}
	return out
}

// pick is Fn::Select: [index, list].
func (r *resolver) pick(n, arg *yaml.Node) (*yaml.Node, error) {
	if err := r.count(n, arg, "Fn::Select", 2, 2); err != nil {
		return nil, err
	}
	index, err := r.needed(arg.Content[0])
	if err != nil {
		return nil, err
	}
	from, err := r.items(arg.Content[1])
	if err != nil {
		return nil, err
	}
	i, err := strconv.Atoi(index)
	if err != nil || i < 0 || i >= len(from) {
		return nil, r.at(n, "Fn::Select: there is no item %s in a list of %d", index, len(from))
	}
	return from[i], nil
}
