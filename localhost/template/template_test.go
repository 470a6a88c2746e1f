package template_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-api/tandem/localhost/template"
)

// lookup makes an environment of a map.
func lookup(env map[string]string) func(string) (string, bool) {
	return func(key string) (string, bool) {
		value, ok := env[key]
		return value, ok
	}
}

func load(t *testing.T, o template.Options) *template.Template {
	t.Helper()
	read, err := template.Load("testdata/full.yaml", o)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestFunctions(t *testing.T) {
	got := load(t, template.Options{}).Functions()
	type row struct {
		id, name, folder, uri string
		timeout               time.Duration
		memory, reserved      int
	}
	want := []row{
		{"FooFunction", "FooFunction", "foo", "functions/foo/bootstrap", 5 * time.Second, 256, 5},
		{"BarFunction", "local-bar", "bar", "./functions/bar/", 7 * time.Second, 128, -1},
		{"CatchFunction", "CatchFunction", "", "", 5 * time.Second, 128, -1},
	}
	var rows []row
	for _, f := range got {
		one := row{f.LogicalID, f.Name, f.Folder, f.CodeURI, f.Timeout, f.MemorySize, -1}
		if f.Reserved != nil {
			one.reserved = *f.Reserved
		}
		rows = append(rows, one)
		if f.Handler != "bootstrap" || f.Runtime != "provided.al2023" {
			t.Errorf("%s: handler %q, runtime %q", f.LogicalID, f.Handler, f.Runtime)
		}
	}
	if !slices.Equal(rows, want) {
		t.Errorf("got  %v\nwant %v", rows, want)
	}
}

func TestRetries(t *testing.T) {
	read, err := template.Parse("t.yaml", []byte(`
Globals: {Function: {EventInvokeConfig: {MaximumRetryAttempts: 1}}}
Resources:
  A: {Type: AWS::Serverless::Function}
  B: {Type: AWS::Serverless::Function, Properties: {EventInvokeConfig: {MaximumRetryAttempts: 0}}}
`), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a, b, foo := read.Function("A"), read.Function("B"), load(t, template.Options{}).Function("foo"); a.Retries != 1 || b.Retries != 0 || foo.Retries != 2 {
		t.Errorf("A %d, B %d, foo %d", a.Retries, b.Retries, foo.Retries)
	}
}

func TestRoutes(t *testing.T) {
	var got []string
	for _, r := range load(t, template.Options{}).Routes() {
		line := strings.Join([]string{r.API.LogicalID, r.API.Stage, r.Key(), r.Function.LogicalID, r.PayloadVersion, r.Timeout.String()}, " ")
		if r.Auth != nil {
			line += " " + r.Auth.Name + " " + strings.Join(r.Scopes, ",")
		}
		got = append(got, line)
	}
	want := []string{
		"ServerlessHttpApi $default GET /v{version}/foo FooFunction 2.0 30s",
		"ServerlessHttpApi $default ANY /foo/{proxy+} FooFunction 1.0 5s",
		"Api api POST /bar BarFunction 2.0 30s Login write",
		"Api api GET /open BarFunction 2.0 30s",
		"ServerlessRestApi Prod PUT /rest BarFunction 1.0 29s",
		"ServerlessHttpApi $default $default CatchFunction 2.0 30s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestVariables(t *testing.T) {
	env, err := load(t, template.Options{Region: "eu-west-1"}).Function("foo").Env()
	want := map[string]string{
		"ENVIRONMENT":  "development",
		"LOG_LEVEL":    "debug",
		"GREETING":     "hello development from eu-west-1, ${not this}",
		"BAR":          "arn:aws:lambda:eu-west-1:123456789012:function:local-bar",
		"BAR_NAME":     "local-bar",
		"API_URL":      "http://127.0.0.1:5000/v1",
		"FIRST_ORIGIN": "https://example.com",
		"LAST":         "two",
		"JOINED":       "a;info;here",
		"NUMBER":       "15",
	}
	if !maps.Equal(env, want) {
		t.Errorf("got  %v\nwant %v", env, want)
	}
	for name, want := range map[string]bool{"NUMBER": true, "AUTH_SECRET": true, "VENDOR_KEY": true, "ONLY_DEPLOYED": true, "REDIS_URL": false} {
		if got := load(t, template.Options{}).Function("foo").Declares(name); got != want {
			t.Errorf("Declares(%s): %t", name, got)
		}
	}
	for _, part := range []string{
		"variable TABLE of FooFunction: testdata/full.yaml:79:18: parameter TableName has no Default",
		"variable TABLE_ARN of FooFunction: testdata/full.yaml:80:22: Arn of Table is known only to a deployment",
	} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error lacks %q:\n%v", part, err)
		}
	}
	if one, ok := errors.AsType[*template.VariableError](err); !ok || one.Name != "TABLE" {
		t.Errorf("got %v, want a VariableError for TABLE", one)
	}
}
