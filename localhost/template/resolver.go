package template

import (
	"sync"

	"gopkg.in/yaml.v3"
)

// resolver knows a template's sections and evaluates what is asked for, when it is
// asked for.
type resolver struct {
	file string
	o    Options

	// mu guards the rest once Load has returned: a function's variables are
	// resolved later, at any time.
	mu         sync.Mutex
	parameters map[string]*parameter
	conditions map[string]*condition
	mappings   *yaml.Node
	globals    *yaml.Node
	resources  []resource
	byID       map[string]*resource
	apiByID    map[string]*API
	functions  []*Function
	depth      int     // of nested intrinsic functions
	wrong      []error // what Load returns
}

// resource is one entry of Resources.
type resource struct {
	id, kind   string
	key, value *yaml.Node // value is a mapping
}

func newResolver(file string, o Options) *resolver {
	if o.Lookup == nil {
		o.Lookup = func(string) (string, bool) { return "", false }
	}
	if o.Region == "" {
		o.Region = "us-east-1"
		if region, ok := o.Lookup("AWS_REGION"); ok && region != "" {
			o.Region = region
		}
	}
	if o.Endpoint == "" {
		o.Endpoint = "http://127.0.0.1:5000"
	}
	return &resolver{
		file: file, o: o,
		parameters: map[string]*parameter{},
		conditions: map[string]*condition{},
		byID:       map[string]*resource{},
		apiByID:    map[string]*API{},
	}
}

// read takes note of the template's sections.
func (r *resolver) read(root *yaml.Node) {
	r.duplicates(root)
	r.readParameters(r.section(root, "Parameters"))
	for _, p := range pairs(r.section(root, "Conditions")) {
		r.conditions[p.name] = &condition{name: p.name, node: p.value}
	}
	r.mappings = r.section(root, "Mappings")
	r.globals = r.section(root, "Globals")
	entries := r.section(root, "Resources")
	if entries == nil {
		r.fail(r.at(root, "the template has no Resources"))
	}
	for _, p := range pairs(entries) {
		if p.value.Kind != yaml.MappingNode {
			r.fail(r.at(p.value, "resource %s is not a mapping with a Type", p.name))
			continue
		}
		kind := field(p.value, "Type")
		if kind == nil || kind.Kind != yaml.ScalarNode {
			r.fail(r.at(p.value, "resource %s has no Type", p.name))
			continue
		}
		r.resources = append(r.resources, resource{p.name, kind.Value, p.key, p.value})
	}
	for i := range r.resources {
		r.byID[r.resources[i].id] = &r.resources[i]
	}
}

func (r *resolver) section(root *yaml.Node, name string) *yaml.Node {
	n := field(root, name)
	if n == nil || n.Tag == "!!null" {
		return nil
	}
	if n.Kind == yaml.MappingNode {
		return n
	}
	r.fail(r.at(n, "%s is not a mapping", name))
	return nil
}

// resourcesOf returns the resources of a type whose condition, if they have one,
// holds.
func (r *resolver) resourcesOf(kind string) []resource {
	var all []resource
	for _, res := range r.resources {
		if res.kind != kind {
			continue
		}
		exists, err := r.exists(res)
		r.fail(err)
		if exists {
			all = append(all, res)
		}
	}
	return all
}

func (r *resolver) exists(res resource) (bool, error) {
	name := field(res.value, "Condition")
	if name == nil {
		return true, nil
	}
	return r.holds(name, name.Value)
}

// properties returns a resource's properties over those of Globals for its kind
// (Function, HttpApi, Api).
func (r *resolver) properties(res resource, globals string) *yaml.Node {
	local, global := r.section(res.value, "Properties"), field(r.globals, globals)
	merged := merge(global, local)
	if merged == nil {
		// A position for what is missing.
		return &yaml.Node{Kind: yaml.MappingNode, Line: res.key.Line, Column: res.key.Column}
	}
	return merged
}

// merge lays the local value over the global one by SAM's rules ("Globals section of
// the AWS SAM template"): mappings are merged, lists are added to, and all else,
// intrinsic functions included, is replaced.
func merge(global, local *yaml.Node) *yaml.Node {
	global, local = deref(global), deref(local)
	if global == nil {
		return local
	}
	if local == nil {
		return global
	}
	_, _, dynamic := intrinsic(local)
	_, _, dynamicGlobal := intrinsic(global)
	if local.Kind != global.Kind || dynamic || dynamicGlobal {
		return local
	}
	out := *local
	switch local.Kind {
	case yaml.SequenceNode:
		out.Content = append(append([]*yaml.Node(nil), global.Content...), local.Content...)
	case yaml.MappingNode:
		out.Content = nil
		for _, p := range pairs(global) {
			value := p.value
			if own := field(local, p.name); own != nil {
				value = merge(value, own)
			}
			out.Content = append(out.Content, p.key, value)
		}
		for _, p := range pairs(local) {
			if field(global, p.name) == nil {
				out.Content = append(out.Content, p.key, p.value)
			}
		}
	}
	return &out
}
