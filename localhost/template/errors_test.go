package template_test

import (
	"strings"
	"testing"

	"github.com/tandem-api/tandem/localhost/template"
)

// TestErrors shows what is said, and where, about a template that cannot be served.
// Each template stands after a line of its own, which is line 1.
func TestErrors(t *testing.T) {
	const function = `
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/f/bootstrap
`
	for _, c := range []struct {
		name, text string
		parameters map[string]string
		want       []string // parts of the error; none: there is no error
	}{
		{name: "an empty file", text: "", want: []string{"t.yaml: the template is empty"}},
		{name: "a list", text: "- a\n- b", want: []string{"a template is a mapping, with Resources"}},
		{name: "bad YAML", text: "Resources: {", want: []string{"t.yaml: yaml: line 2"}},
		{name: "no resources", text: "Description: none", want: []string{"t.yaml:2:1: the template has no Resources"}},
		{name: "a resource without a type", text: "Resources:\n  F: {Properties: {}}", want: []string{"t.yaml:3:6: resource F has no Type"}},
		{name: "a key twice", text: function + "      CodeUri: b", want: []string{"t.yaml:7:7: CodeUri stands here again (first in line 6)"}},
		{name: "a time-out of no length", text: function + "      Timeout: 0", want: []string{`t.yaml:7:16: Timeout is "0", and must be a whole number from 1 to 900`}},
		{name: "a time-out that is no number", text: function + "      Timeout: 3s", want: []string{`Timeout is "3s"`}},
		{name: "too much memory", text: function + "      MemorySize: 20000", want: []string{"a whole number from 128 to 10240"}},
		{name: "null", text: function + "      Timeout: null", want: []string{"t.yaml:7:16: null is no value"}},
		{name: "a list for a text", text: function + "      Handler: [a]", want: []string{"t.yaml:7:16: a text is wanted here"}},
		{
			name: "all faults at once",
			text: function + "      Timeout: x\n      MemorySize: y\n      Events:\n        E: {Type: HttpApi, Properties: {Path: foo, Method: FETCH}}",
			want: []string{"Timeout is", "MemorySize is", `t.yaml:10:60: the Method of event E is "FETCH"`, `t.yaml:10:47: the Path of event E is "foo": it must start with /`},
		},
		{name: "an unknown function", text: function + "      Timeout: !Cidr [a, 1, 2]", want: []string{"t.yaml:7:16: Fn::Cidr is not known here: write a parameter in its place"}},
		{name: "an unknown reference", text: function + "      Timeout: !Ref Nothing", want: []string{`t.yaml:7:16: there is no parameter or resource "Nothing"`}},
		{name: "the long form has a position, too", text: function + "      Timeout: {Ref: Nothing}", want: []string{`t.yaml:7:16: there is no parameter or resource`}},
		{name: "what only a deployment knows", text: function + "      Handler: !Ref T\n  T: {Type: AWS::SQS::Queue}", want: []string{"t.yaml:7:16: T is a resource of type AWS::SQS::Queue, whose name only a deployment knows"}},
		{name: "of what is not used, nothing is said", text: function + "      Policies: !GetAtt Nothing.Arn\n      Role: !ImportValue x\n      Environment: {Variables: {A: !ImportValue x}}"},
		{name: "an attribute of nothing", text: function + "      Handler: !GetAtt Nothing.Arn", want: []string{`there is no resource "Nothing"`}},
		{name: "a value from another stack", text: function + "      Handler: !ImportValue x", want: []string{"Fn::ImportValue takes its value from another stack"}},
		{name: "a text that is not closed", text: function + "      Handler: !Sub 'a${b'", want: []string{"t.yaml:7:16: Fn::Sub: a ${ is not closed"}},
		{name: "Sub of a list", text: function + "      Handler: !Sub [a]", want: []string{"Fn::Sub takes a text, or a list of a text and a mapping"}},
		{name: "a map that is not there", text: function + "      Handler: !FindInMap [A, b, c]", want: []string{"Mappings has no A.b.c"}},
		{name: "Select beyond the end", text: function + "      Handler: !Select [2, [a, b]]", want: []string{"there is no item 2 in a list of 2"}},
		{name: "Join of one thing", text: function + "      Handler: !Join [a]", want: []string{"Fn::Join takes a list of 2"}},
		{name: "Split at nothing", text: function + "      Handler: !Select [0, !Split ['', ab]]", want: []string{"cannot split at an empty text"}},
		{name: "an unknown condition", text: function + "      Handler: !If [Nothing, a, b]", want: []string{`t.yaml:7:21: there is no condition "Nothing" under Conditions`}},
		{name: "a condition of itself", text: "Conditions:\n  A: !Not [!Condition B]\n  B: !Not [!Condition A]" + function + "    Condition: A", want: []string{"depends on itself"}},
		{name: "a condition that is none", text: "Conditions: {A: yes}" + function + "    Condition: A", want: []string{"t.yaml:2:17: a condition is one of Fn::Equals"}},
		{name: "Equals where a value stands", text: function + "      Handler: !Equals [a, b]", want: []string{"Fn::Equals stands only under Conditions"}},
		{name: "a function named after itself", text: function + "      FunctionName: !Sub '${F}x'", want: []string{"more than 100 functions stand in each other here"}},
		{name: "an alias of what it stands in", text: "A: &a {B: *a}" + function, want: []string{"with its aliases written out"}},
		{
			name: "aliases of aliases", want: []string{"with its aliases written out, the template has more than 1000000 nodes"},
			text: "A: &a [x,x,x,x,x,x,x,x,x,x]\nB: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nC: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nD: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\nE: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nG: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]" + function,
		},
		{name: "headings with nothing under them", text: "Parameters:\nConditions:\nGlobals:" + function + "      Events:\n      Environment:\n  G:\n    Type: AWS::Serverless::Function\n    Properties:\n"},
		{name: "events in a list", text: function + "      Events: [a]", want: []string{"t.yaml:7:15: Events is not a mapping"}},
		{name: "an event without a type", text: function + "      Events: {E: {Properties: {}}}", want: []string{"t.yaml:7:16: event E of F has no Type"}},
		{name: "a path without a method", text: function + "      Events: {E: {Type: HttpApi, Properties: {Path: /a}}}", want: []string{`the Method of event E is ""`}},
		{name: "a schedule without one", text: function + "      Events: {E: {Type: Schedule}}", want: []string{"event E of F has no Schedule"}},
		{name: "the wrong kind of API", text: function + "      Events: {E: {Type: HttpApi, Properties: {ApiId: !Ref A, Path: /, Method: GET}}}\n  A: {Type: AWS::Serverless::Api}", want: []string{"A is an AWS::Serverless::Api, and ApiId needs an AWS::Serverless::HttpApi"}},
		{name: "too many retries", text: function + "      EventInvokeConfig: {MaximumRetryAttempts: 3}", want: []string{`MaximumRetryAttempts is "3", and must be a whole number from 0 to 2`}},
		{name: "a schedule that is none", text: function + "      Events: {E: {Type: Schedule, Properties: {Schedule: every day}}}", want: []string{"t.yaml:7:59: the Schedule of event E: "}},
		{name: "a schedule's time zone", text: function + "      Events: {E: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day), ScheduleExpressionTimezone: Mars}}}", want: []string{"the ScheduleExpression of event E: ", "Mars"}},
		{name: "an input that is no JSON", text: function + "      Events: {E: {Type: Schedule, Properties: {Schedule: rate(1 day), Input: hello}}}", want: []string{"the Input of event E is not JSON"}},
		{name: "an authorizer that is not there", text: function + "      Events: {E: {Type: HttpApi, Properties: {Path: /, Method: GET, Auth: {Authorizer: A}}}}", want: []string{"ServerlessHttpApi has no authorizer A"}},
		{name: "a word that CORS does not know", text: "Globals: {HttpApi: {CorsConfiguration: {AllowOrigin: ['*']}}}" + function + "      Events: {E: {Type: HttpApi}}", want: []string{"t.yaml:2:41: CorsConfiguration has no AllowOrigin: it has AllowOrigins"}},
		{name: "the settings of an API without routes do not matter", text: "Globals: {HttpApi: {CorsConfiguration: {AllowOrigin: ['*']}}}" + function},
		{name: "a parameter that is not there", text: function, parameters: map[string]string{"A": "b"}, want: []string{"there is no parameter A: it has none"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := template.Parse("t.yaml", []byte("# "+c.name+"\n"+strings.TrimPrefix(c.text, "\n")), template.Options{Parameters: c.parameters})
			if len(c.want) == 0 && err != nil {
				t.Fatal(err)
			}
			for _, part := range c.want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("the error lacks %q:\n%v", part, err)
				}
			}
		})
	}
}

func TestPaths(t *testing.T) {
	for _, c := range []struct{ path, want string }{
		{"/", ""},
		{"/a/{b}/c", ""},
		{"/v{version}/foo", ""},
		{"/a.{b}-{c}", ""},
		{"/{proxy+}", ""},
		{"/a/{path+}", ""},
		{"/a/", "API Gateway deploys no route that ends in /"},
		{"a", "it must start with /"},
		{"/a/*", "it may have no *, ?, # or space"},
		{"/a?b", "it may have no *, ?, # or space"},
		{"/{a", "a { or } has no counterpart"},
		{"/a}", "a { or } has no counterpart"},
		{"/{}", "{} is no name of a variable"},
		{"/{a:[0-9]+}", "is no name of a variable"},
		{"/{a b}", "it may have no *, ?, # or space"},
		{"/{a}/{a}", "{a} stands twice"},
		{"/{a}{b}", "two variables need something between them"},
		{"/{a+}/b", "{a+} must be its whole last part"},
		{"/x{a+}", "{a+} must be its whole last part"},
	} {
		t.Run(c.path, func(t *testing.T) {
			_, err := template.Parse("t.yaml", []byte(`
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        E: {Type: HttpApi, Properties: {Method: GET, Path: "`+c.path+`"}}`), template.Options{})
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestRoutesThatStandTwice(t *testing.T) {
	for _, c := range []struct {
		name, first, second string
		twice               bool
	}{
		{"the same", "Method: GET, Path: /a", "Method: get, Path: /a", true},
		{"variables of other names", "Method: GET, Path: '/a/{b}'", "Method: GET, Path: '/a/{c}'", true},
		{"another method", "Method: GET, Path: /a", "Method: PUT, Path: /a", false},
		{"ANY beside one of them", "Method: GET, Path: /a", "Method: ANY, Path: /a", false},
		{"greedy and not", "Method: GET, Path: '/a/{b}'", "Method: GET, Path: '/a/{b+}'", false},
		{"two for $default", "Method: ANY, Path: $default", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := template.Parse("t.yaml", []byte(`
Resources:
  F: {Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: HttpApi, Properties: {`+c.first+`}}}}}
  G: {Type: AWS::Serverless::Function, Properties: {Events: {E: {Type: HttpApi, Properties: {`+c.second+`}}}}}
`), template.Options{})
			if twice := err != nil && strings.Contains(err.Error(), "is the route of F already (line 3)"); twice != c.twice {
				t.Errorf("got %v, want an error: %t", err, c.twice)
			}
		})
	}
}
