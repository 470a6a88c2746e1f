package validate

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// loops refuses a schema that comes back to itself without going deeper into the
// document, such as {"allOf":[{"$ref":"#"}]}. Checking anything against it would
// overflow the stack, which no recover survives.
type loops struct {
	root any
	done map[string]bool // by pointer; false while it is being visited
}

// visit follows every schema that applies to the same value as the one at the pointer.
func (l loops) visit(at string, node any) error {
	object, ok := node.(map[string]any)
	if !ok {
		return nil
	}
	switch done, seen := l.done[at]; {
	case done:
		return nil
	case seen:
		return fmt.Errorf("#%s: refers to itself without end", at)
	}
	l.done[at] = false
	if ref, ok := object["$ref"].(string); ok {
		target, node := l.resolve(ref)
		if err := l.visit(target, node); err != nil {
			return err
		}
	}
	for _, name := range []string{"not", "if", "then", "else"} {
		if err := l.visit(at+"/"+name, object[name]); err != nil {
			return err
		}
	}
	for _, name := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := object[name].([]any)
		for i, s := range list {
			if err := l.visit(at+"/"+name+"/"+strconv.Itoa(i), s); err != nil {
				return err
			}
		}
	}
	named, _ := object["dependencies"].(map[string]any)
	for name, s := range named {
		if err := l.visit(at+"/dependencies/"+escape.Replace(name), s); err != nil {
			return err
		}
	}
	l.done[at] = true
	return nil
}

// resolve finds what a reference of the form #/a/b points to, and its pointer in one
// spelling. What points to nothing is left to the compiler.
func (l loops) resolve(ref string) (string, any) {
	fragment, err := url.PathUnescape(strings.TrimPrefix(ref, "#"))
	switch {
	case err != nil:
		return "", nil
	case fragment == "":
		return "", l.root
	}
	node, tokens := l.root, strings.Split(fragment, "/")[1:]
	for i, token := range tokens {
		token = unescape.Replace(token)
		switch parent := node.(type) {
		case map[string]any:
			node = parent[token]
		case []any:
			n, err := strconv.Atoi(token)
			if err != nil || n < 0 || n >= len(parent) {
				return "", nil
			}
			node, token = parent[n], strconv.Itoa(n)
		default:
			return "", nil
		}
		tokens[i] = escape.Replace(token)
	}
	return strings.Join(slices.Insert(tokens, 0, ""), "/"), node
}
