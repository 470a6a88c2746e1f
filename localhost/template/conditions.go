package template

import (
	"gopkg.in/yaml.v3"
)

// condition is an entry of Conditions, evaluated when first asked for.
type condition struct {
	name   string
	node   *yaml.Node
	state  conditionState
	result bool
	err    error
}

type conditionState uint8

const (
	unknown conditionState = iota
	underWay
	known
)

// holds evaluates the condition of that name; n is where it is named.
func (r *resolver) holds(n *yaml.Node, name string) (bool, error) {
	c := r.conditions[name]
	if c == nil {
		return false, r.at(n, "there is no condition %q under Conditions", name)
	}
	switch c.state {
	case known:
		return c.result, c.err
	case underWay:
		return false, r.at(n, "condition %s depends on itself", name)
	}
	c.state = underWay
	c.result, c.err = r.truth(c.node)
	c.state = known
	return c.result, c.err
}

// truth evaluates a condition function (CloudFormation, "Condition functions").
func (r *resolver) truth(n *yaml.Node) (bool, error) {
	done, err := r.deeper(n)
	if err != nil {
		return false, err
	}
	defer done()
	n = deref(n)
	name, arg, ok := intrinsic(n)
	if !ok && n != nil && n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "Condition" {
		name, arg, ok = "Condition", deref(n.Content[1]), true
	}
	if !ok {
		return false, r.at(n, "a condition is one of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition")
	}
	switch name {
	case "Condition":
		if arg == nil || arg.Kind != yaml.ScalarNode {
			return false, r.at(n, "Condition takes the name of a condition")
		}
		return r.holds(n, arg.Value)
	case "Fn::Equals":
		return r.equals(n, arg)
	case "Fn::Not":
		if err := r.count(n, arg, name, 1, 1); err != nil {
			return false, err
		}
		holds, err := r.truth(arg.Content[0])
		return !holds, err
	case "Fn::And", "Fn::Or":
		if err := r.count(n, arg, name, 2, 10); err != nil {
			return false, err
		}
		for _, item := range arg.Content {
			holds, err := r.truth(item)
			if err != nil {
				return false, err
			}
			if holds == (name == "Fn::Or") {
				return holds, nil
			}
		}
		return name == "Fn::And", nil
	}
	return false, r.at(n, "%s is not a condition: use Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition", name)
}

func (r *resolver) equals(n, arg *yaml.Node) (bool, error) {
	if err := r.count(n, arg, "Fn::Equals", 2, 2); err != nil {
		return false, err
	}
	a, _, err := r.text(arg.Content[0])
	if err != nil {
		return false, err
	}
	b, _, err := r.text(arg.Content[1])
	return a == b, err
}

// count demands a list of that many items.
func (r *resolver) count(n, arg *yaml.Node, name string, from, to int) error {
	switch {
	case arg == nil || arg.Kind != yaml.SequenceNode || len(arg.Content) < from || len(arg.Content) > to:
		if from == to {
			return r.at(n, "%s takes a list of %d", name, from)
		}
		return r.at(n, "%s takes a list of %d to %d", name, from, to)
	}
	return nil
}
