package scaffold

import (
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// resourceStart is the first line of a function in template.yaml.
var resourceStart = regexp.MustCompile(`(?m)^  (\w+Function):\r?\n    Type: AWS::Serverless::Function$`)

// addResource puts a function's resource into template.yaml, in the alphabet's order
// among the others. It works on the text, and so keeps comments and layout.
func addResource(text []byte, name string) ([]byte, error) {
	id := logicalID(name)
	if regexp.MustCompile(`(?m)^  ` + id + `:`).Match(text) {
		return nil, fmt.Errorf("has a resource %s already", id)
	}
	starts := resourceStart.FindAllSubmatchIndex(text, -1)
	if len(starts) == 0 {
		return nil, errors.New("has no function to put another one beside")
	}
	at := -1
	for _, s := range starts {
		if string(text[s[2]:s[3]]) > id {
			at = s[0]
			break
		}
	}
	if at < 0 {
		at = endOfResource(text, starts[len(starts)-1][1])
	}
	block := resource(name) + "\n"
	return []byte(string(text[:at]) + block + string(text[at:])), nil
}

// endOfResource returns where the next thing of the same depth starts, or the end.
func endOfResource(text []byte, from int) int {
	next := regexp.MustCompile(`(?m)^(  )?[^ \n]`).FindIndex(text[from:])
	if next == nil {
		return len(text)
	}
	return from + next[0]
}

// resource is a new function's part of template.yaml.
func resource(name string) string {
	return strings.NewReplacer("FUNCTION", logicalID(name), "EVENT", "Get"+strings.TrimSuffix(logicalID(name), "Function"), "NAME", name).Replace(
		`  FUNCTION:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: makefile
      WorkingDirectory: !Sub .ci/sam/${Architecture}
    Properties:
      CodeUri: functions/NAME/bootstrap
      Role: !GetAtt FunctionRole.Arn
      Events:
        EVENT:
          Type: HttpApi
          Properties:
            ApiId: !Ref Api
            Method: GET
            Path: /NAME
`)
}

// addToList puts a function into the list of localhost/functions.go, and its package
// into the imports, each in the alphabet's order.
func addToList(text []byte, module, name string) ([]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "functions.go", text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	offset := func(p token.Pos) int { return files.Position(p).Offset }
	list, err := functionList(file)
	if err != nil {
		return nil, err
	}
	element, at := name+".Function,\n", offset(list.Rbrace)
	for _, e := range list.Elts {
		if selector, ok := e.(*ast.SelectorExpr); ok && fmt.Sprint(selector.X) > name {
			at = offset(e.Pos())
			break
		}
	}
	importAt := -1
	for _, spec := range file.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil && path.Dir(p) == module+"/functions" {
			importAt = offset(spec.Pos())
		}
	}
	if importAt < 0 {
		return nil, errors.New("imports no function to put another one beside")
	}
	// Formatting sorts the imports.
	spec := strconv.Quote(module+"/functions/"+name) + "\n"
	return format.Source(slices.Concat(text[:importAt], []byte(spec), text[importAt:at], []byte(element), text[at:]))
}

// functionList finds the []function.Function{…}.
func functionList(file *ast.File) (*ast.CompositeLit, error) {
	var found *ast.CompositeLit
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || found != nil {
			return true
		}
		if list, ok := lit.Type.(*ast.ArrayType); ok && list.Len == nil {
			if elt, ok := list.Elt.(*ast.SelectorExpr); ok && elt.Sel.Name == "Function" {
				found = lit
			}
		}
		return true
	})
	if found == nil {
		return nil, errors.New("has no list []function.Function{…}")
	}
	return found, nil
}
