package template_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/localhost/template"
)

// value resolves one expression, as a variable of a function.
func value(t *testing.T, head, expression string, o template.Options) (string, bool, error) {
	t.Helper()
	read, err := template.Parse("t.yaml", []byte(head+`
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: the-function
      Environment:
        Variables:
          V: `+expression+`
  Api: {Type: AWS::Serverless::HttpApi}
`), o)
	if err != nil {
		return "", false, err
	}
	env, err := read.Function("F").Env()
	v, ok := env["V"]
	return v, ok, err
}

func TestIntrinsics(t *testing.T) {
	const head = `
Parameters:
  P: {Type: String, Default: p}
  L: {Type: CommaDelimitedList, Default: "a, b,c"}
  N: {Type: Number, Default: 7}
Mappings:
  M: {a: {b: mapped}, "7": {l: [x, y]}}
Conditions:
  Yes: !Equals [!Ref P, p]
  No: !Equals [!Ref P, q]
  Both: !And [!Condition Yes, !Not [!Condition No]]
  Either: {"Fn::Or": [{Condition: No}, {"Fn::Equals": [a, a]}]}
  Number: !Equals [!Ref N, 7]
`
	for _, c := range []struct{ name, expression, want string }{
		{"a text", "text", "text"},
		{"a text that looks like a number", `"007"`, "007"},
		{"a number", "1.50", "1.50"},
		{"true", "true", "true"},
		{"the empty text", `""`, ""},
		{"several lines", "|\n            a\n            b", "a\nb\n"},
		{"Ref, short", "!Ref P", "p"},
		{"Ref, long", "{Ref: P}", "p"},
		{"Ref of a function", "!Ref F", "the-function"},
		{"Ref of an API", "!Ref Api", "local"},
		{"Ref of a pseudo parameter", "!Ref AWS::Region", "us-east-1"},
		{"Sub, short", "!Sub '${P}-${AWS::AccountId}-${AWS::Partition}-${AWS::URLSuffix}-${AWS::StackName}'", "p-123456789012-aws-amazonaws.com-local"},
		{"Sub, long", `{"Fn::Sub": "${P}${N}"}`, "p7"},
		{"Sub with names of its own", "!Sub ['${A}${P}', {A: !Ref N}]", "7p"},
		{"Sub of an attribute", "!Sub '${F.Arn}'", "arn:aws:lambda:us-east-1:123456789012:function:the-function"},
		{"Sub with a literal", "!Sub '${!P} $P {P} $${P}'", "${P} $P {P} $p"},
		{"Sub without anything", "!Sub plain", "plain"},
		{"GetAtt with a dot", "!GetAtt F.Arn", "arn:aws:lambda:us-east-1:123456789012:function:the-function"},
		{"GetAtt with a list", `{"Fn::GetAtt": [Api, ApiEndpoint]}`, "http://127.0.0.1:5000"},
		{"If, true", "!If [Yes, !Ref P, !ImportValue never]", "p"},
		{"If, false", "!If [No, a, b]", "b"},
		{"And", "!If [Both, a, b]", "a"},
		{"Or", "!If [Either, a, b]", "a"},
		{"a number is a text", "!If [Number, a, b]", "a"},
		{"If in If", `{"Fn::If": [No, a, {"Fn::If": [Yes, b, c]}]}`, "b"},
		{"FindInMap", "!FindInMap [M, a, b]", "mapped"},
		{"FindInMap by a parameter", "!Join [',', !FindInMap [M, !Ref N, l]]", "x,y"},
		{"FindInMap with a default", "!FindInMap [M, a, z, {DefaultValue: !Ref P}]", "p"},
		{"Join", "!Join ['-', [a, !Ref P, !If [No, x, !Ref AWS::NoValue], b]]", "a-p-b"},
		{"Join of a list parameter", "!Join ['|', !Ref L]", "a|b|c"},
		{"Select", "!Select [1, !Ref L]", "b"},
		{"Split", "!Select [1, !Split ['/', a/b/c]]", "b"},
		{"Base64", "{'Fn::Base64': !Sub '${P}'}", "cA=="},
		{"short in long in short", "!Join ['', [{'Fn::Join': ['-', [!Ref P, b]]}]]", "p-b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok, err := value(t, head, c.expression, template.Options{})
			if err != nil || !ok || got != c.want {
				t.Errorf("got %q, %t, %v; want %q", got, ok, err, c.want)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	const plain = "Parameters: {P: {Type: String, Default: default}}"
	const number = "Parameters: {P: {Type: Number, Default: 5, MinValue: 1, MaxValue: 10}}"
	const secret = "Parameters: {P: {Type: String, NoEcho: true, MinLength: 8}}"
	const ssm = "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /a/b}}"
	given := func(v string) template.Options { return template.Options{Parameters: map[string]string{"P": v}} }
	environment := func(v string) template.Options {
		return template.Options{Lookup: lookup(map[string]string{"P": v})}
	}
	for _, c := range []struct {
		name, head string
		o          template.Options
		expression string
		want       string // "-": unset
		wrong      string // part of the error
	}{
		{name: "its default", head: plain, want: "default"},
		{name: "given", head: plain, o: given("x"), want: "x"},
		{name: "given as the empty text", head: plain, o: given(""), want: ""},
		{name: "from the environment", head: plain, o: environment("x"), want: "x"},
		{name: "from a file", head: plain, o: template.Options{Overrides: map[string]string{"P": "x", "Other": "y"}}, want: "x"},
		{name: "given, the environment and a file", head: plain, want: "1", o: template.Options{
			Parameters: map[string]string{"P": "1"}, Lookup: lookup(map[string]string{"P": "2"}), Overrides: map[string]string{"P": "3"}}},
		{name: "the environment and a file", head: plain, want: "2", o: template.Options{
			Lookup: lookup(map[string]string{"P": "2"}), Overrides: map[string]string{"P": "3"}}},
		{name: "the variable itself from the environment", head: plain, o: template.Options{Lookup: lookup(map[string]string{"V": "own"})}, want: "own"},
		{name: "no default, no value", head: "Parameters: {P: {Type: String}}", want: "-", wrong: "parameter P has no Default: give it a value"},
		{name: "a secret without a value", head: secret, want: "-"},
		{name: "a secret with an empty default", head: "Parameters: {P: {Type: String, NoEcho: true, Default: ''}}", want: "-"},
		{name: "a secret that is given", head: secret, o: given("12345678"), want: "12345678"},
		{name: "a secret within a text", head: secret, expression: "!Sub 'x${P}'", want: "-", wrong: "${P} has no value on this machine"},
		{name: "a wrong secret is not shown", head: secret, o: given("geheim"), wrong: "parameter P: the value is outside its MinLength of 8"},
		{name: "from SSM", head: ssm, want: "-"},
		{name: "from SSM, given", head: ssm, o: given("x"), want: "x"},
		{name: "a dynamic reference", expression: "'{{resolve:secretsmanager:a:SecretString:b}}'", want: "-"},
		{name: "a number", head: number, want: "5"},
		{name: "no number", head: number, o: given("x"), wrong: `parameter P: "x" is not a number`},
		{name: "a number too large", head: number, o: given("11"), wrong: `parameter P: "11" is outside its MaxValue of 10`},
		{name: "an allowed value", head: "Parameters: {P: {Type: String, AllowedValues: [a, b], Default: a}}", o: given("b"), want: "b"},
		{name: "another value", head: "Parameters: {P: {Type: String, AllowedValues: [a, b], Default: a}}", o: given("c"), wrong: `parameter P: "c" is not one of its AllowedValues (a, b)`},
		{name: "a default that is not allowed", head: "Parameters: {P: {Type: String, AllowedValues: [a], Default: c}}", wrong: "t.yaml:1:61: parameter P"},
		{name: "a pattern", head: "Parameters: {P: {Type: String, AllowedPattern: '[a-z]+', Default: a}}", o: given("ab1"), wrong: `"ab1" does not match its AllowedPattern [a-z]+`},
		{name: "a list, each of them", head: "Parameters: {P: {Type: 'List<Number>', Default: '1,2'}}", o: given("1,x"), wrong: "is not a number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.expression == "" {
				c.expression = "!Ref P"
			}
			got, ok, err := value(t, c.head, c.expression, c.o)
			switch {
			case c.wrong != "":
				if err == nil || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), "geheim") {
					t.Errorf("got %v, want %q", err, c.wrong)
				}
			case err != nil:
				t.Error(err)
			case ok != (c.want != "-") || (ok && got != c.want):
				t.Errorf("got %q, %t; want %q", got, ok, c.want)
			}
		})
	}
}

func TestGlobals(t *testing.T) {
	const text = `
Globals:
  Function:
    Timeout: 9
    MemorySize: 512
    Environment:
      Variables: {A: global, B: global}
Resources:
  Own:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 4
      Environment:
        Variables: {B: own, C: own}
  None:
    Type: AWS::Serverless::Function
  Chosen:
    Type: AWS::Serverless::Function
    Properties:
      Environment: !If [Yes, {Variables: {D: chosen}}, !Ref AWS::NoValue]
Conditions:
  Yes: !Equals [a, a]
`
	read, err := template.Parse("t.yaml", []byte(text), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]struct {
		timeout, memory int
		env             map[string]string
	}{
		"Own":    {4, 512, map[string]string{"A": "global", "B": "own", "C": "own"}},
		"None":   {9, 512, map[string]string{"A": "global", "B": "global"}},
		"Chosen": {9, 512, map[string]string{"D": "chosen"}}, // SAM does not look into functions
	} {
		f := read.Function(id)
		env, err := f.Env()
		if err != nil || int(f.Timeout.Seconds()) != want.timeout || f.MemorySize != want.memory || !maps.Equal(env, want.env) {
			t.Errorf("%s: %s, %d MB, %v, %v; want %v", id, f.Timeout, f.MemorySize, env, err, want)
		}
	}
}

func TestLengthsOfParametersAreOfCharacters(t *testing.T) {
	const text = "Parameters: {P: {Type: String, MinLength: 3, MaxLength: 4, Default: %s}}\nResources: {}\n"
	for value, fits := range map[string]bool{"äö": false, "äöü": true, "äöüß": true, "äöüße": false} {
		if _, err := template.Parse("template.yaml", []byte(strings.Replace(text, "%s", value, 1)), template.Options{}); (err == nil) != fits {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestAnUnknownParameterHasNoPlace(t *testing.T) {
	_, err := template.Parse("template.yaml", []byte("Resources: {}\n"), template.Options{Parameters: map[string]string{"X": "1"}})
	if err == nil || err.Error() != "template.yaml: there is no parameter X: it has none" {
		t.Errorf("got %v", err)
	}
}
