package template_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/tandem-api/tandem/localhost/template"
)

func TestAPIs(t *testing.T) {
	apis := load(t, template.Options{}).APIs()
	if len(apis) != 3 {
		t.Fatalf("got %d APIs, want the implicit ones and Api", len(apis))
	}
	implicit, own, rest := apis[0], apis[1], apis[2]
	if want := (template.CORS{
		AllowOrigins: []string{"https://example.com", "https://www.example.com"}, AllowMethods: []string{"GET", "POST"},
		AllowHeaders: []string{"*"}, MaxAge: 600,
	}); implicit.Kind != template.HTTP || implicit.Stage != "$default" || !reflect.DeepEqual(*implicit.CORS, want) {
		t.Errorf("implicit: %+v %+v", implicit, implicit.CORS)
	}
	if own.Stage != "api" || own.CORS.MaxAge != 600 || !own.CORS.AllowCredentials || *own.Throttle != (template.Throttle{Rate: 20.5, Burst: 10}) {
		t.Errorf("own: %+v %+v %+v", own, own.CORS, own.Throttle)
	}
	if want := (template.Authorizer{
		Name: "Login", Type: "JWT", Position: template.Position{File: "testdata/full.yaml", Line: 143, Column: 13}, Issuer: "https://login.example.com", Audience: []string{"tandem"},
		IdentitySource: "$request.header.Authorization", Scopes: []string{"read"},
	}); !reflect.DeepEqual(*own.Authorizers["Login"], want) {
		t.Errorf("authorizer: %+v", own.Authorizers["Login"])
	}
	if rest.Kind != template.REST || rest.Stage != "Prod" || rest.CORS != nil {
		t.Errorf("rest: %+v", rest)
	}
}

func TestBinaryMediaTypes(t *testing.T) {
	read, err := template.Parse("t.yaml", []byte(`
Globals: {Api: {BinaryMediaTypes: [image~1PNG, "*/*"]}}
Resources: {F: {Type: AWS::Serverless::Function, Properties: {Events: {A: {Type: Api, Properties: {Method: GET, Path: /a}}}}}}
`), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := read.APIs()[0].Binary; !reflect.DeepEqual(got, []string{"image/png", "*/*"}) {
		t.Errorf("%q", got)
	}
}

func TestThrottles(t *testing.T) {
	read, err := template.Parse("t.yaml", []byte(`
Globals:
  HttpApi:
    DefaultRouteSettings: {ThrottlingRateLimit: 10, ThrottlingBurstLimit: 5}
    RouteSettings:
      "GET /b": {ThrottlingRateLimit: 1}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: {Type: HttpApi, Properties: {Method: GET, Path: /a}}
        B: {Type: HttpApi, Properties: {Method: GET, Path: /b}}
        C: {Type: HttpApi, Properties: {Method: GET, Path: /c, RouteSettings: {ThrottlingBurstLimit: 2}}}
`), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []template.Throttle{{Rate: 10, Burst: 5}, {Rate: 1, Burst: 5}, {Rate: 10, Burst: 2}} {
		if got := read.Routes()[i]; *got.Throttle != want {
			t.Errorf("%s: %+v, want %+v", got.Key(), *got.Throttle, want)
		}
	}
}

func TestSchedules(t *testing.T) {
	read := load(t, template.Options{})
	foo, bar := read.Function("foo"), read.Function("bar")
	want := []template.Schedule{
		{Function: foo, Event: "Nightly", Expression: "rate(5 minutes)", Input: `{"job":"tidy"}`, Position: foo.Events[2].Position},
		{Function: bar, Event: "Clock", Expression: "cron(0 8 * * ? *)", TimeZone: "Europe/Paris", Enabled: true, Position: bar.Events[3].Position},
	}
	if got := read.Schedules(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if queue := foo.Events[3]; queue.Name != "Queue" || queue.Type != "SQS" {
		t.Errorf("an event of another kind: %+v", queue)
	}
}

func TestFunctionByName(t *testing.T) {
	read := load(t, template.Options{})
	for name, want := range map[string]string{
		"bar": "BarFunction", "BarFunction": "BarFunction", "local-bar": "BarFunction",
		"arn:aws:lambda:us-east-1:123456789012:function:local-bar": "BarFunction",
		"FooFunction": "FooFunction", "": "", "other": "", "ProductionFunction": "",
	} {
		var got string
		if f := read.Function(name); f != nil {
			got = f.LogicalID
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	production, err := template.Load("testdata/full.yaml", template.Options{Parameters: map[string]string{"Environment": "production"}})
	if err != nil {
		t.Fatal(err)
	}
	if f := production.Function("production"); f == nil || f.Timeout != 10*time.Second {
		t.Errorf("under its condition: %+v", f)
	}
}

func TestFolders(t *testing.T) {
	for uri, want := range map[string]string{
		"functions/foo/bootstrap": "foo", "./functions/foo/bootstrap/": "foo", "functions/foo": "foo", "foo/": "foo",
		".": "", "./": "", "..": "", "bootstrap": "", "s3://bucket/foo.zip": "", `functions\foo\bootstrap`: "foo",
		"/abs/FooFunction": "FooFunction",
	} {
		read, err := template.Parse("t.yaml", []byte(`{"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": '`+uri+`'}}}}`), template.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := read.Function("F").Folder; got != want {
			t.Errorf("%s: got %q, want %q", uri, got, want)
		}
	}
}
