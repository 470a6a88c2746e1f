package template_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/localhost/template"
)

// TestJSON reads a template that is JSON, indented with tabs.
func TestJSON(t *testing.T) {
	read, err := template.Parse("t.json", []byte(`{
	"Parameters": {"Name": {"Type": "String", "Default": "a\tb \"c\""}},
	"Resources": {
		"F": {
			"Type": "AWS::Serverless::Function",
			"Properties": {
				"CodeUri": "functions/f/bootstrap",
				"Environment": {"Variables": {"A": {"Fn::Sub": "${Name}!"}}},
				"Events": {"E": {"Type": "HttpApi", "Properties": {"Method": "GET", "Path": "/f"}}}
			}
		}
	}
}`), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	env, err := read.Function("f").Env()
	if err != nil || env["A"] != "a\tb \"c\"!" || read.Routes()[0].Key() != "GET /f" {
		t.Errorf("got %v, %v, %v", env, err, read.Routes())
	}
}

func TestAliases(t *testing.T) {
	read, err := template.Parse("t.yaml", []byte(`
Common: &common
  Timeout: 8
  Environment: &env
    Variables: {A: "1"}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      <<: *common
      MemorySize: 256
  G:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 2
      Environment: *env
      <<: [*common]
`), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, g := read.Function("F"), read.Function("G")
	env, err := g.Env()
	if err != nil || f.Timeout.Seconds() != 8 || f.MemorySize != 256 || g.Timeout.Seconds() != 2 || env["A"] != "1" {
		t.Errorf("%+v %+v %v %v", f, g, env, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Events: {E: {Type: HttpApi, Properties: {Path: '/{a}', Method: GET}}}\n      Environment: {Variables: {A: !Sub '${B}', C: !GetAtt F.Arn}}")
	f.Add("Parameters: {A: {Type: Number, Default: 1}}\nConditions: {C: !And [!Equals [!Ref A, 1], !Not [!Condition C]]}\nResources: {F: {Type: AWS::Serverless::Function, Condition: C}}")
	f.Add("a: &a {<<: *a}\nResources: {F: {Type: AWS::Serverless::Function, Properties: {<<: [*a], FunctionName: !Ref F}}}")
	f.Add("Globals: {Function: {Environment: {Variables: !If [a]}}, HttpApi: {CorsConfiguration: true}}\nResources: {F: {Type: AWS::Serverless::Function, Properties: !Ref x}}")
	f.Add("Mappings: {A: {B: {C: d}}}\nResources: {F: {Type: !Ref x}, G: {Type: AWS::Serverless::Function, Properties: {Events: [a], Timeout: !FindInMap [A, B, C]}}}")
	f.Fuzz(func(_ *testing.T, text string) {
		read, err := template.Parse("t.yaml", []byte(text), template.Options{})
		if err != nil {
			return
		}
		for _, fn := range read.Functions() {
			_, _ = fn.Env()
		}
	})
}

// large is a template of so many functions, each with two routes and a few variables.
func large(functions int) []byte {
	var b strings.Builder
	b.WriteString("Parameters:\n  Environment: {Type: String, Default: development}\nGlobals:\n  Function:\n    Runtime: provided.al2023\n    Environment:\n      Variables: {ENVIRONMENT: !Ref Environment}\nResources:\n")
	for i := range functions {
		fmt.Fprintf(&b, `  F%[1]dFunction:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties:
      CodeUri: functions/f%[1]d/bootstrap
      Handler: bootstrap
      Timeout: 10
      Policies:
        - Statement: {Effect: Allow, Action: "s3:GetObject", Resource: !Sub "arn:${AWS::Partition}:s3:::bucket/*"}
      Environment:
        Variables:
          NAME: !Sub "f%[1]d-${Environment}"
          URL: !Join ["/", ["https://example.com", !Ref Environment]]
      Events:
        Get:
          Type: HttpApi
          Properties: {Path: "/f%[1]d/{id}", Method: GET}
        Post:
          Type: HttpApi
          Properties: {Path: /f%[1]d, Method: POST}
`, i)
	}
	return []byte(b.String())
}

// BenchmarkParse reads a template of 200 functions, with all their variables.
func BenchmarkParse(b *testing.B) {
	text := large(200)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		read, err := template.Parse("t.yaml", text, template.Options{})
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range read.Functions() {
			if _, err := f.Env(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
