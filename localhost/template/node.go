package template

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// at makes an error of a place.
func (r *resolver) at(n *yaml.Node, format string, args ...any) error {
	return &Error{Position: r.position(n), Text: fmt.Sprintf(format, args...)}
}

func (r *resolver) position(n *yaml.Node) Position {
	if n == nil {
		return Position{File: r.file}
	}
	return Position{File: r.file, Line: n.Line, Column: n.Column}
}

// fail notes an error that Load returns, once: several routes may run into it.
func (r *resolver) fail(err error) {
	if err != nil && !slices.ContainsFunc(r.wrong, func(e error) bool { return e.Error() == err.Error() }) {
		r.wrong = append(r.wrong, err)
	}
}

// deref follows YAML aliases (*name).
func deref(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// maxNodes bounds a template with its aliases written out: a few lines of aliases
// of aliases can stand for billions of nodes.
const maxNodes = 1_000_000

// expanded counts the nodes under n with aliases written out, and stops at maxNodes.
// An alias of what it stands in counts as too many.
func expanded(n *yaml.Node, sizes map[*yaml.Node]int) int {
	size := 1
	if n.Kind == yaml.AliasNode {
		known, seen := sizes[n.Alias]
		if !seen {
			sizes[n.Alias] = maxNodes // until it is known, for a circle
			known = expanded(n.Alias, sizes)
			sizes[n.Alias] = known
		}
		size += known
	}
	for _, child := range n.Content {
		size += expanded(child, sizes)
		if size >= maxNodes {
			return maxNodes
		}
	}
	return min(size, maxNodes)
}

// pair is a key of a mapping with its value.
type pair struct {
	name       string
	key, value *yaml.Node
}

// pairs returns the keys of a mapping in their order, with the merged ones (<<)
// where the mapping itself does not have them.
func pairs(n *yaml.Node) []pair {
	return collect(nil, n)
}

func collect(all []pair, n *yaml.Node) []pair {
	n = deref(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return all
	}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Tag == "!!merge" {
			merges = append(merges, n.Content[i+1])
			continue
		}
		if !contains(all, key.Value) {
			all = append(all, pair{key.Value, key, deref(n.Content[i+1])})
		}
	}
	for _, m := range merges {
		if m = deref(m); m != nil && m.Kind == yaml.SequenceNode {
			for _, item := range m.Content {
				all = collect(all, item)
			}
			continue
		}
		all = collect(all, m)
	}
	return all
}

func contains(all []pair, name string) bool {
	for _, p := range all {
		if p.name == name {
			return true
		}
	}
	return false
}

// field returns the value of a mapping's key as it is written, nil where there is
// none.
func field(n *yaml.Node, name string) *yaml.Node {
	n = deref(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	merged := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return deref(n.Content[i+1])
		}
		merged = merged || n.Content[i].Tag == "!!merge"
	}
	if merged {
		for _, p := range pairs(n) {
			if p.name == name {
				return p.value
			}
		}
	}
	return nil
}

// intrinsic says whether a node calls an intrinsic function, in its short form
// (!Sub text) or its long one ({Fn::Sub: text}), and with what.
func intrinsic(n *yaml.Node) (name string, arg *yaml.Node, ok bool) {
	if n == nil {
		return "", nil, false
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		name = strings.TrimPrefix(n.Tag, "!")
		if name != "Ref" && name != "Condition" {
			name = "Fn::" + name
		}
		plain := *n
		plain.Tag = ""
		if plain.Kind == yaml.ScalarNode {
			plain.Tag = "!!str"
		}
		return name, &plain, true
	}
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 {
		key := n.Content[0].Value
		if key == "Ref" || strings.HasPrefix(key, "Fn::") {
			return key, deref(n.Content[1]), true
		}
	}
	return "", nil, false
}

// duplicates notes every key that a mapping has twice, of which CloudFormation and
// SAM would silently take one.
func (r *resolver) duplicates(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		seen := make(map[string]int, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if line, twice := seen[key.Value]; twice && key.Tag != "!!merge" {
				r.fail(r.at(key, "%s stands here again (first in line %d): remove one", key.Value, line))
			}
			seen[key.Value] = key.Line
		}
	}
	for _, child := range n.Content {
		r.duplicates(child)
	}
}
