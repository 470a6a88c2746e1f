package main

import (
	"strings"
	"testing"
)

func TestRoutes(t *testing.T) {
	const text = `
Resources:
  Implicit: {Type: AWS::Serverless::Function, Properties: {CodeUri: functions/foo/bootstrap, Events: {A: {Type: HttpApi, Properties: {Method: get, Path: '/foo'}}, B: {Type: HttpApi}}}}
  Guard: {Type: AWS::Serverless::Function, Properties: {CodeUri: functions/guard/bootstrap}}
  Bar:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/bar/bootstrap
      Timeout: 10
      Events:
        A: {Type: HttpApi, Properties: {Method: POST, Path: /bar, ApiId: !Ref Staged}}
        B: {Type: HttpApi, Properties: {ApiId: !Ref Staged, Auth: {Authorizer: Login}}}
        C: {Type: Api, Properties: {Method: ANY, Path: '/bar/{id}', RestApiId: !Ref Rest}}
        D: {Type: Api, Properties: {Method: GET, Path: /iam, RestApiId: !Ref Rest, Auth: {Authorizer: AWS_IAM}}}
        Nightly: {Type: ScheduleV2, Properties: {ScheduleExpression: 'cron(0 8 * * ? *)', ScheduleExpressionTimezone: Europe/Paris, State: DISABLED}}
  Staged:
    Type: AWS::Serverless::HttpApi
    Properties: {StageName: dev, Auth: {Authorizers: {Login: {JwtConfiguration: {issuer: "https://login.example", audience: [a]}}}}}
  Rest:
    Type: AWS::Serverless::Api
    Properties: {StageName: v1, Auth: {DefaultAuthorizer: Ask, Authorizers: {Ask: {FunctionArn: !GetAtt Guard.Arn}}}}
`
	const want = `  GET    /foo            foo   3s
  ANY    $default        foo   3s
  POST   /dev/bar        bar   10s
  ANY    /dev $default   bar   10s   Login: JWT of https://login.example
  ANY    /v1/bar/{id}    bar   10s   Ask: TOKEN asks guard
  GET    /v1/iam         bar   10s   AWS_IAM: not checked on this machine

  cron(0 8 * * ? *) Europe/Paris   bar   Nightly   disabled
`
	inFolderWith(t, "template.yaml", text)
	got := localhost(t, nil, "routes")
	if got.code != 0 || got.stdout != want {
		t.Errorf("%d, %s\ngot\n%s\nwant\n%s", got.code, got.stderr, got.stdout, strings.TrimSuffix(want, "\n"))
	}
}
