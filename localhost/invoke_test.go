package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/shared/apptest"
)

func TestInvoke(t *testing.T) {
	root := apptest.Root(t)
	described := filepath.Join(root, cli.DefaultTemplate)
	event := filepath.Join(root, "events", "foo.json")
	for name, c := range map[string]struct {
		args  []string
		stdin string
		code  int
		want  string // in the answer, or where there is none, in the error
	}{
		"the sample event":         {args: []string{"foo"}, want: `{\"hello\":\"world\",\"count\":0,\"version\":1}`},
		"by logical id":            {args: []string{"FooFunction"}, want: `"statusCode":200`},
		"by ARN":                   {args: []string{"arn:aws:lambda:us-east-1:123456789012:function:FooFunction"}, want: `"statusCode":200`},
		"an event in a file":       {args: []string{"foo", "-event", event}, want: `"statusCode":200`},
		"the flags first":          {args: []string{"-event", event, "foo"}, want: `"statusCode":200`},
		"an event that is piped":   {args: []string{"work", "-event", "-"}, stdin: "{}", want: `{"jobs":0,"pending":0}`},
		"a function that fails":    {args: []string{"foo", "-event", "-"}, stdin: "{}", code: 1, want: `"errorType":"errorString"`},
		"no function":              {code: 2, want: "name a function"},
		"an unknown function":      {args: []string{"nope"}, code: 2, want: `no function "nope"; it has bar, baz`},
		"a file that is not there": {args: []string{"foo", "-event", "nowhere.json"}, code: 2, want: "nowhere.json"},
		"no JSON":                  {args: []string{"foo", "-event", "-"}, stdin: "{", code: 2, want: "is not JSON"},
		"two functions":            {args: []string{"foo", "bar"}, code: 2, want: `unexpected argument "bar"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			got := localhostWith(t, c.stdin, nil, append([]string{"invoke"}, append(c.args, "-template", described)...)...)
			if got.code != c.code {
				t.Fatalf("exit %d, want %d; stderr:\n%s", got.code, c.code, got.stderr)
			}
			if c.code == 2 {
				if got.stdout != "" || !strings.Contains(got.stderr, c.want) {
					t.Errorf("stdout %q, stderr:\n%swant %q", got.stdout, got.stderr, c.want)
				}
				return
			}
			if !json.Valid([]byte(got.stdout)) || !strings.Contains(got.stdout, c.want) || strings.Count(got.stdout, "\n") != 1 {
				t.Errorf("stdout: %s\nwant one line of JSON with %s", got.stdout, c.want)
			}
		})
	}
}

// Another function's variables are none of the invoked one's.
func TestInvokeNeedsOneFunctionsVariables(t *testing.T) {
	inFolderWith(t, "template.yaml", `
Resources:
  Foo: {Type: AWS::Serverless::Function, Properties: {CodeUri: functions/foo/bootstrap, Environment: {Variables: {ENVIRONMENT: a}}}}
  Other: {Type: AWS::Serverless::Function, Properties: {CodeUri: functions/health/bootstrap, Environment: {Variables: {ENVIRONMENT: b, TABLE: !GetAtt Table.Arn}}}}
  Table: {Type: AWS::DynamoDB::Table}
`)
	const event = `{"version":"2.0","rawPath":"/v1/nothing","requestContext":{"http":{"method":"GET"}}}`
	if got := localhostWith(t, event, nil, "invoke", "foo", "-event", "-"); got.code != 0 || !strings.Contains(got.stdout, `"statusCode":404`) {
		t.Errorf("exit %d, stdout %q, stderr:\n%s", got.code, got.stdout, got.stderr)
	}
	got := localhostWith(t, event, nil, "invoke", "health", "-event", "-")
	if got.code != 2 || !strings.Contains(got.stderr, "variable TABLE of Other: template.yaml:4:") {
		t.Errorf("exit %d, stderr:\n%s", got.code, got.stderr)
	}
}

func TestInvokeIsolated(t *testing.T) {
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join(apptest.Root(t), "localhost/isolate/testdata/bootstrap/main.go"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	write(t, dir, "go.mod", "module example.com/f\n\ngo 1.26\n")
	write(t, dir, "f/main.go", string(text))
	write(t, dir, "template.yaml", `
Resources:
  EchoFunction: {Type: AWS::Serverless::Function, Properties: {CodeUri: f, Environment: {Variables: {REDIS_URL: ""}}}}
  NoFunction: {Type: AWS::Serverless::Function, Properties: {CodeUri: nowhere}}
`)
	got := localhostWith(t, "{}", nil, "invoke", "EchoFunction", "-isolate", "-event", "-")
	var env map[string]string
	if err := json.Unmarshal([]byte(got.stdout), &env); err != nil || got.code != 0 {
		t.Fatalf("exit %d, stdout %q, stderr:\n%s", got.code, got.stdout, got.stderr)
	}
	if env["WORD"] != "one" || env["AWS_LAMBDA_FUNCTION_NAME"] != "EchoFunction" || !strings.HasPrefix(env["REDIS_URL"], "redis://127.0.0.1:") {
		t.Errorf("the function saw %v", env)
	}
	if !strings.Contains(got.stderr, "REPORT RequestId: ") {
		t.Errorf("stderr has no REPORT:\n%s", got.stderr)
	}
	if got := localhostWith(t, "{}", nil, "invoke", "nowhere", "-isolate", "-event", "-"); got.code != 2 || !strings.Contains(got.stderr, `CodeUri "nowhere"`) {
		t.Errorf("exit %d, stderr:\n%s", got.code, got.stderr)
	}
}

// write writes a file below a folder.
func write(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil { //nolint:gosec // some are programs
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
