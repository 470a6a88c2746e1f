package template_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tandem-api/tandem/localhost/template"
)

// guarded is a template with an authorizer A, which the route of the function Asked uses.
func guarded(kind, auth string) string {
	return `
Resources:
  Guard: {Type: AWS::Serverless::Function, Properties: {CodeUri: functions/guard/bootstrap}}
  Asked:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/asked/bootstrap
      Events: {E: {Type: ` + kind + `, Properties: {Path: /, Method: GET, Auth: {Authorizer: A}, ` + map[string]string{"HttpApi": "ApiId", "Api": "RestApiId"}[kind] + `: !Ref TheApi}}}
  Table: {Type: AWS::DynamoDB::Table}
  TheApi:
    Type: AWS::Serverless::` + kind + `
    Properties:
      StageName: live
      Auth: {Authorizers: {Unused: {FunctionArn: !GetAtt Table.Arn}, A: ` + auth + `}}
`
}

func TestLambdaAuthorizers(t *testing.T) {
	for _, c := range []struct {
		name, kind, auth string
		want             template.Authorizer
	}{
		{"simple responses", "HttpApi", `{FunctionArn: !GetAtt Guard.Arn, AuthorizerPayloadFormatVersion: "2.0", EnableSimpleResponses: true, Identity: {Headers: [Authorization], QueryStrings: [key], ReauthorizeEvery: 30}}`,
			template.Authorizer{Type: "REQUEST", PayloadVersion: "2.0", Simple: true, Identity: []string{"$request.header.Authorization", "$request.querystring.key"}, TTL: 30 * time.Second}},
		{"a policy, in 1.0", "HttpApi", `{FunctionArn: !Sub "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${Guard}", AuthorizerPayloadFormatVersion: 1.0, Identity: {Context: [routeKey], StageVariables: [v]}}`,
			template.Authorizer{Type: "REQUEST", PayloadVersion: "1.0", Identity: []string{"$stageVariables.v", "$context.routeKey"}, TTL: 300 * time.Second}},
		{"no identity, and so nothing to keep", "HttpApi", `{FunctionArn: !GetAtt Guard.Arn, AuthorizerPayloadFormatVersion: "2.0"}`,
			template.Authorizer{Type: "REQUEST", PayloadVersion: "2.0"}},
		{"a REST API's token", "Api", `{FunctionArn: !GetAtt Guard.Arn}`,
			template.Authorizer{Type: "TOKEN", PayloadVersion: "1.0", Identity: []string{"$request.header.Authorization"}, TTL: 300 * time.Second}},
		{"a REST API's token, in full", "Api", `{FunctionArn: !GetAtt Guard.Arn, FunctionPayloadType: TOKEN, Identity: {Header: X-Key, ValidationExpression: "^k", ReauthorizeEvery: 0}}`,
			template.Authorizer{Type: "TOKEN", PayloadVersion: "1.0", Identity: []string{"$request.header.X-Key"}, Validation: "^k"}},
		{"a REST API's request", "Api", `{FunctionArn: !GetAtt Guard.Arn, FunctionPayloadType: REQUEST, Identity: {Headers: [X-Key]}}`,
			template.Authorizer{Type: "REQUEST", PayloadVersion: "1.0", Identity: []string{"$request.header.X-Key"}, TTL: 300 * time.Second}},
		{"a pool of users", "Api", `{UserPoolArn: arn:aws:cognito-idp:eu-west-1:123456789012:userpool/x}`, template.Authorizer{Type: "COGNITO_USER_POOLS"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			read, err := template.Parse("t.yaml", []byte(guarded(c.kind, c.auth)), template.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := *read.Routes()[0].Auth
			if c.want.Type != template.Cognito && got.Function != read.Function("guard") {
				t.Errorf("the function is %+v", got.Function)
			}
			c.want.Name = "A"
			got.Function, got.Position = nil, template.Position{}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestWrongAuthorizers(t *testing.T) {
	for _, c := range []struct{ name, kind, auth, want string }{
		{"of neither kind", "HttpApi", `{AuthorizerPayloadFormatVersion: "2.0"}`, "the authorizer has neither a FunctionArn nor a JwtConfiguration"},
		{"no format", "HttpApi", `{FunctionArn: !GetAtt Guard.Arn}`, `t.yaml:14:73: AuthorizerPayloadFormatVersion is "", and must be "2.0" or "1.0"`},
		{"an unknown format", "HttpApi", `{FunctionArn: !GetAtt Guard.Arn, AuthorizerPayloadFormatVersion: "3.0"}`, `AuthorizerPayloadFormatVersion is "3.0"`},
		{"simple in 1.0", "HttpApi", `{FunctionArn: !GetAtt Guard.Arn, AuthorizerPayloadFormatVersion: "1.0", EnableSimpleResponses: true}`, "EnableSimpleResponses needs AuthorizerPayloadFormatVersion 2.0"},
		{"a function of somewhere else", "HttpApi", `{FunctionArn: arn:aws:lambda:eu-west-1:1:function:x, AuthorizerPayloadFormatVersion: "2.0"}`, "arn:aws:lambda:eu-west-1:1:function:x is no function of this template"},
		{"what is no function", "HttpApi", `{FunctionArn: !GetAtt Table.Arn, AuthorizerPayloadFormatVersion: "2.0"}`, "Arn of Table is known only to a deployment"},
		{"too long a time", "HttpApi", `{FunctionArn: !GetAtt Guard.Arn, AuthorizerPayloadFormatVersion: "2.0", Identity: {ReauthorizeEvery: 3601}}`, `ReauthorizeEvery is "3601", and must be a whole number from 0 to 3600`},
		{"an unknown kind of a REST API's", "Api", `{FunctionArn: !GetAtt Guard.Arn, FunctionPayloadType: JWT}`, `FunctionPayloadType is "JWT", and must be TOKEN or REQUEST`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := template.Parse("t.yaml", []byte(guarded(c.kind, c.auth)), template.Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v\nwant one error with %s", err, c.want)
			}
		})
	}
}

// IAM of an HTTP API has to be switched on, that of a REST API has not.
func TestIAM(t *testing.T) {
	text := strings.ReplaceAll(guarded("HttpApi", "{}"), "Authorizer: A", "Authorizer: AWS_IAM")
	if _, err := template.Parse("t.yaml", []byte(text), template.Options{}); err == nil || !strings.Contains(err.Error(), "AWS_IAM needs EnableIamAuthorizer: true in the Auth of TheApi") {
		t.Error(err)
	}
	for _, text := range []string{strings.ReplaceAll(text, "Auth: {Authorizers:", "Auth: {EnableIamAuthorizer: true, Authorizers:"), strings.ReplaceAll(guarded("Api", "{}"), "Authorizer: A", "Authorizer: AWS_IAM")} {
		read, err := template.Parse("t.yaml", []byte(text), template.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := read.Routes()[0].Auth; got.Type != "AWS_IAM" || got.Name != "AWS_IAM" {
			t.Errorf("%+v", got)
		}
	}
}

func TestAPIKeys(t *testing.T) {
	read, err := template.Parse("t.yaml", []byte(`
Globals: {Api: {Auth: {ApiKeyRequired: true}}}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: {Type: Api, Properties: {Path: /a, Method: GET}}
        B: {Type: Api, Properties: {Path: /b, Method: GET, Auth: {ApiKeyRequired: false}}}
`), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := read.Routes()[0].Auth, read.Routes()[1].Auth; a == nil || a.Type != template.APIKey || b != nil {
		t.Errorf("%+v, %+v", a, b)
	}
}
