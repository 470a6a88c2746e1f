package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-api/tandem/localhost/fault"
	"github.com/tandem-api/tandem/localhost/gateway"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/function"
)

// asks is an API whose routes /x/… ask the function Guard.
func asks(kind, authorizer string) string {
	id := map[string]string{"HttpApi": "ApiId", "Api": "RestApiId"}[kind]
	return `
Resources:
  TheApi:
    Type: AWS::Serverless::` + kind + `
    Properties: {StageName: live, Auth: {DefaultAuthorizer: A, Authorizers: {A: {FunctionArn: !GetAtt Guard.Arn, ` + authorizer + `}}}}
  Guard: {Type: AWS::Serverless::Function, Properties: {CodeUri: functions/guard/bootstrap}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: {Type: ` + kind + `, Properties: {Method: GET, Path: "/x/{id}", ` + id + `: !Ref TheApi}}
        B: {Type: ` + kind + `, Properties: {Method: POST, Path: "/y", ` + id + `: !Ref TheApi}}
`
}

const (
	simple = `AuthorizerPayloadFormatVersion: "2.0", EnableSimpleResponses: true, Identity: {Headers: [X-Key]}`
	policy = `AuthorizerPayloadFormatVersion: "2.0", Identity: {Headers: [X-Key]}`
)

// verdicts is an authorizer's function that answers with the text, and how often it ran.
func verdicts(answer string, calls *atomic.Int64) lambda.Invoke {
	return func(context.Context, lambda.Invocation) (lambda.Result, error) {
		calls.Add(1)
		return lambda.Result{Payload: []byte(answer)}, nil
	}
}

func statement(effect, resource string) string {
	return `{"principalId":"ada","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"` + effect + `","Resource":"` + resource + `"}]}}`
}

func TestLambdaAuthorizer(t *testing.T) {
	const (
		no401, no403, no500 = `{"message":"Unauthorized"}`, `{"message":"Forbidden"}`, `{"message":"Internal Server Error"}`
		explicit            = `{"Message":"User is not authorized to access this resource with an explicit deny"}`
		implicit            = `{"Message":"User is not authorized to access this resource"}`
		all                 = "arn:aws:execute-api:us-east-1:123456789012:local/live/"
	)
	for _, c := range []struct {
		name, kind, authorizer, answer string
		head                           string
		status                         int
		body                           string
		calls                          int64
	}{
		{"yes", "HttpApi", simple, `{"isAuthorized":true}`, "X-Key: k", 200, "", 1},
		{"no", "HttpApi", simple, `{"isAuthorized":false}`, "X-Key: k", 403, no403, 1},
		{"nothing to be identified by", "HttpApi", simple, `{"isAuthorized":true}`, "", 401, no401, 0},
		{"an empty identity", "HttpApi", simple, `{"isAuthorized":true}`, "X-Key:", 401, no401, 0},
		{"no identity is asked for", "HttpApi", `AuthorizerPayloadFormatVersion: "2.0", EnableSimpleResponses: true`, `{"isAuthorized":true}`, "", 200, "", 1},
		{"one of two identities", "HttpApi", strings.Replace(simple, "[X-Key]", "[X-Key], QueryStrings: [q]", 1), `{"isAuthorized":true}`, "X-Key: k", 401, no401, 0},
		{"an identity that every request has", "HttpApi", strings.Replace(simple, "Headers: [X-Key]", "Context: [routeKey]", 1), `{"isAuthorized":true}`, "", 200, "", 1},
		{"no object", "HttpApi", simple, `true`, "X-Key: k", 500, no500, 1},
		{"a policy where a simple answer is wanted", "HttpApi", simple, statement("Allow", "*"), "X-Key: k", 500, no500, 1},
		{"a simple answer where a policy is wanted", "HttpApi", policy, `{"isAuthorized":true}`, "X-Key: k", 500, no500, 1},
		{"a context that is no object", "HttpApi", simple, `{"isAuthorized":true,"context":7}`, "X-Key: k", 500, no500, 1},
		{"a policy that allows all", "HttpApi", policy, statement("Allow", "*"), "X-Key: k", 200, "", 1},
		{"a policy that allows the route", "HttpApi", policy, statement("Allow", all+"GET/x/7"), "X-Key: k", 200, "", 1},
		{"a policy with a pattern", "HttpApi", policy, statement("Allow", all+"*/x/?"), "X-Key: k", 200, "", 1},
		{"a policy that allows another route", "HttpApi", policy, statement("Allow", all+"POST/*"), "X-Key: k", 403, no403, 1},
		{"a policy that denies", "HttpApi", policy, statement("Deny", "*"), "X-Key: k", 403, no403, 1},
		{"a policy that allows all and denies this", "HttpApi", policy, `{"principalId":"ada","policyDocument":{"Statement":[{"Action":"*","Effect":"Allow","Resource":["*"]},{"Action":["execute-api:Invoke"],"Effect":"Deny","Resource":["` + all + `GET/x/*"]}]}}`, "X-Key: k", 403, no403, 1},
		{"one statement without a list", "HttpApi", policy, `{"principalId":"ada","policyDocument":{"Statement":{"Action":"execute-api:*","Effect":"Allow","Resource":"*"}}}`, "X-Key: k", 200, "", 1},
		{"a policy of another service", "HttpApi", policy, `{"principalId":"ada","policyDocument":{"Statement":[{"Action":"s3:*","Effect":"Allow","Resource":"*"}]}}`, "X-Key: k", 403, no403, 1},
		{"a policy with a condition", "HttpApi", policy, `{"principalId":"ada","policyDocument":{"Statement":[{"Action":"*","Effect":"Allow","Resource":"*","Condition":{}}]}}`, "X-Key: k", 500, no500, 1},
		{"a policy without statements", "HttpApi", policy, `{"principalId":"ada","policyDocument":{"Statement":[]}}`, "X-Key: k", 403, no403, 1},

		{"a REST API's yes", "Api", "", statement("Allow", all+"GET/x/*"), "Authorization: t", 200, "", 1},
		{"a REST API's explicit no", "Api", "", statement("Deny", "*"), "Authorization: t", 403, explicit, 1},
		{"a REST API's silence", "Api", "", statement("Allow", all+"POST/*"), "Authorization: t", 403, implicit, 1},
		{"a REST API without a token", "Api", "", statement("Allow", "*"), "", 401, no401, 0},
		{"a REST API's token of another form", "Api", `Identity: {ValidationExpression: "Bearer .+"}`, statement("Allow", "*"), "Authorization: t", 401, no401, 0},
		{"a REST API's token of that form", "Api", `Identity: {ValidationExpression: "Bearer .+"}`, statement("Allow", "*"), "Authorization: Bearer t", 200, "", 1},
		{"a REST API's answer without a principal", "Api", "", strings.Replace(statement("Allow", "*"), "ada", "", 1), "Authorization: t", 500, `{"message":null}`, 1},
		{"a REST API that shows the request", "Api", "FunctionPayloadType: REQUEST, Identity: {QueryStrings: [key]}", statement("Allow", "*"), "", 401, no401, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calls atomic.Int64
			addr := stage{template: asks(c.kind, c.authorizer), function: ok, invoke: verdicts(c.answer, &calls)}.start(t)
			got := send(t, addr, strings.TrimSuffix("GET /live/x/7\n"+c.head, "\n"))
			if c.status != 200 {
				got.is(t, c.status, c.body)
			}
			if called := got.header.Get("X-Function") != ""; got.status != c.status || called != (c.status == 200) || calls.Load() != c.calls {
				t.Errorf("status %d, the function was called: %t, and its authorizer %d times", got.status, called, calls.Load())
			}
		})
	}
}

func TestLambdaAuthorizerThatFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		result lambda.Result
		err    error
		status int
	}{
		{"an error", lambda.Result{FunctionError: "Unhandled", ErrorType: "errorString", Payload: []byte(`{"errorMessage":"out of luck"}`)}, nil, 500},
		{"the error Unauthorized", lambda.Result{FunctionError: "Unhandled", ErrorType: "errorString", Payload: []byte(`{"errorMessage":"Unauthorized"}`)}, nil, 401},
		{"too many at once", lambda.Result{}, &lambda.ThrottledError{}, 500},
		{"code that does not build", lambda.Result{}, &fault.Error{Text: "guard.go:3: undefined: x"}, 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log lines
			var calls atomic.Int64
			addr := stage{template: asks("HttpApi", simple), function: ok, log: &log, invoke: func(context.Context, lambda.Invocation) (lambda.Result, error) {
				calls.Add(1)
				return c.result, c.err
			}}.start(t)
			for range 2 {
				if got := send(t, addr, "GET /live/x/7\nX-Key: k"); got.status != c.status || (c.status == 503) != (got.body == "guard.go:3: undefined: x\n") {
					t.Errorf("%+v", got)
				}
			}
			if calls.Load() != 2 {
				t.Error("a failure was kept")
			}
			if told := strings.Contains(log.String(), "the authorizer has no answer"); told != (c.status == 500) {
				t.Errorf("the log:\n%s", log.String())
			}
		})
	}
	t.Run("one that cannot run here", func(t *testing.T) {
		read, err := template.Parse("template.yaml", []byte(asks("HttpApi", simple)), template.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = gateway.New(gateway.Options{Template: read, Handler: func(*template.Function) (http.Handler, error) { return http.NotFoundHandler(), nil }})
		if err == nil || !strings.Contains(err.Error(), "template.yaml:5:81: authorizer A: its function Guard cannot run here") {
			t.Error(err)
		}
	})
	t.Run("an identity of which nothing is known here", func(t *testing.T) {
		read, err := template.Parse("template.yaml", []byte(asks("HttpApi", strings.Replace(simple, "Headers: [X-Key]", "Context: [ponies]", 1))), template.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var calls atomic.Int64
		_, err = gateway.New(gateway.Options{
			Template: read, Handler: func(*template.Function) (http.Handler, error) { return http.NotFoundHandler(), nil },
			Invoke: func(*template.Function) lambda.Invoke { return verdicts("", &calls) },
		})
		if err == nil || !strings.Contains(err.Error(), "$context.ponies is not known here") {
			t.Error(err)
		}
	})
}

// A result is good for other routes too, for as long as the template says.
func TestLambdaAuthorizerIsAskedOnce(t *testing.T) {
	asked := func(t *testing.T, authorizer string, heads ...string) int64 {
		t.Helper()
		var calls atomic.Int64
		addr := stage{template: asks("HttpApi", authorizer), function: ok, invoke: verdicts(`{"isAuthorized":true}`, &calls)}.start(t)
		for _, head := range heads {
			if got := send(t, addr, head); got.status != 200 {
				t.Errorf("%s: %+v", head, got)
			}
		}
		return calls.Load()
	}
	same := []string{"GET /live/x/7\nX-Key: k", "GET /live/x/8\nX-Key: k", "POST /live/y\nX-Key: k"}
	for _, c := range []struct {
		name, authorizer string
		heads            []string
		want             int64
	}{
		{"one identity", simple, same, 1},
		{"two identities", simple, append([]string{"GET /live/x/7\nX-Key: other"}, same...), 2},
		{"an identity for each route", strings.Replace(simple, "[X-Key]", "[X-Key], Context: [routeKey]", 1), same, 2},
		{"nothing is kept", strings.Replace(simple, "[X-Key]", "[X-Key], ReauthorizeEvery: 0", 1), same, 3},
		{"no identity", `AuthorizerPayloadFormatVersion: "2.0", EnableSimpleResponses: true`, same, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := asked(t, c.authorizer, c.heads...); got != c.want {
				t.Errorf("asked %d times, want %d", got, c.want)
			}
		})
	}
	t.Run("its function was edited", func(t *testing.T) {
		var calls, edits atomic.Int64
		addr := stage{
			template: asks("HttpApi", simple), function: ok, invoke: verdicts(`{"isAuthorized":true}`, &calls),
			edits: func(f *template.Function) int64 {
				if f.LogicalID != "Guard" {
					t.Errorf("asked for the edits of %s", f.LogicalID)
				}
				return edits.Load()
			},
		}.start(t)
		for edit, head := range same {
			edits.Store(int64(edit))
			for range 2 {
				send(t, addr, head)
			}
			if got := calls.Load(); got != int64(edit)+1 {
				t.Errorf("after %d edits it was asked %d times", edit, got)
			}
		}
	})
	t.Run("its time is over", func(t *testing.T) {
		var calls atomic.Int64
		addr := stage{template: asks("HttpApi", strings.Replace(simple, "[X-Key]", "[X-Key], ReauthorizeEvery: 1", 1)), function: ok, invoke: verdicts(`{"isAuthorized":true}`, &calls)}.start(t)
		begin := time.Now()
		apptest.Eventually(t, "it is asked again", func() bool {
			send(t, addr, "GET /live/x/7\nX-Key: k")
			return calls.Load() == 2
		})
		if took := time.Since(begin); took < time.Second {
			t.Errorf("after %s", took)
		}
	})
}

// TestQuestions shows what an authorizer's function gets, and what the route's function
// is told of its answer.
func TestQuestions(t *testing.T) {
	const head = "GET /live/x/a%20b?q=1&q=2\nX-Key: k\nCookie: c=1; d=2\nUser-Agent: test/1"
	const arn = "arn:aws:execute-api:us-east-1:123456789012:local/live/GET/x/a b"
	const extra = `"context":{"user":"ada","n":1,"deep":{"a":[true]}}`
	for _, c := range []struct{ name, kind, authorizer, answer, question, said string }{
		{"2.0", "HttpApi", strings.Replace(simple, "[X-Key]", "[X-Key], QueryStrings: [q]", 1), `{"isAuthorized":true,` + extra + `}`, `{
			"type": "REQUEST", "routeArn": "` + arn + `", "identitySource": ["k", "1,2"], "version": "2.0", "routeKey": "GET /x/{id}",
			"rawPath": "/live/x/a b", "rawQueryString": "q=1&q=2", "cookies": ["c=1", "d=2"], "queryStringParameters": {"q": "1,2"}, "pathParameters": {"id": "a b"},
			"headers": {"host": "api.example.com:8080", "x-key": "k", "user-agent": "test/1", "x-amzn-trace-id": "TRACE", "x-forwarded-for": "127.0.0.1", "x-forwarded-port": "PORT", "x-forwarded-proto": "http"},
			"requestContext": "CONTEXT"
		}`, `{"lambda":{"user":"ada","n":1,"deep":{"a":[true]}}}`},
		{"1.0", "HttpApi", strings.Replace(policy, "2.0", "1.0", 1), strings.Replace(statement("Allow", "*"), "{", "{"+extra+",", 1), `{
			"type": "REQUEST", "methodArn": "` + arn + `", "identitySource": "k", "authorizationToken": "k", "version": "1.0", "resource": "/x/{id}",
			"path": "/live/x/a b", "httpMethod": "GET", "queryStringParameters": {"q": "2"}, "multiValueQueryStringParameters": {"q": ["1", "2"]},
			"pathParameters": {"id": "a b"}, "stageVariables": null, "headers": "HEADERS", "multiValueHeaders": "HEADERS", "requestContext": "CONTEXT"
		}`, `{"lambda":{"user":"ada","n":1,"deep":{"a":[true]}}}`},
		{"a REST API's token", "Api", `Identity: {Header: X-Key}`, strings.Replace(statement("Allow", "*"), "{", "{"+extra+",", 1),
			`{"type": "TOKEN", "authorizationToken": "k", "methodArn": "` + arn + `"}`, `{"principalId":"ada","user":"ada","n":"1","deep":"{\"a\":[true]}"}`},
		{"a REST API's request", "Api", `FunctionPayloadType: REQUEST, Identity: {Headers: [X-Key]}`, statement("Allow", "*"), `{
			"type": "REQUEST", "methodArn": "` + arn + `", "resource": "/x/{id}",
			"path": "/x/a%20b", "httpMethod": "GET", "queryStringParameters": {"q": "2"}, "multiValueQueryStringParameters": {"q": ["1", "2"]},
			"pathParameters": {"id": "a%20b"}, "stageVariables": null, "headers": "HEADERS", "multiValueHeaders": "HEADERS", "requestContext": "CONTEXT"
		}`, `{"principalId":"ada"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var question, event []byte
			var said json.RawMessage
			addr := stage{
				template: asks(c.kind, c.authorizer),
				invoke: func(_ context.Context, i lambda.Invocation) (lambda.Result, error) {
					question = i.Payload
					return lambda.Result{Payload: []byte(c.answer)}, nil
				},
				function: func(_ http.ResponseWriter, r *http.Request) {
					var err error
					if event, err = gateway.Event(r); err != nil {
						t.Error(err)
					}
					if ok, err := function.Authorizer(r.Context(), &said); err != nil || !ok {
						t.Errorf("%v, %v", ok, err)
					}
				},
			}.start(t)
			if got := send(t, addr, head); got.status != 200 {
				t.Fatalf("%+v", got)
			}
			sameJSON(t, string(withoutWhatDiffers(t, question)), c.question)
			sameJSON(t, string(said), c.said)
			var told struct {
				RequestContext struct{ Authorizer json.RawMessage }
			}
			if err := json.Unmarshal(event, &told); err != nil {
				t.Fatal(err)
			}
			sameJSON(t, string(told.RequestContext.Authorizer), c.said)
		})
	}
}

// withoutWhatDiffers takes out what other tests see to.
func withoutWhatDiffers(t *testing.T, event []byte) []byte {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(event, &all); err != nil {
		t.Fatal(errors.Join(err, errors.New(string(event))))
	}
	if h, ok := all["headers"].(map[string]any); ok {
		if _, v2 := h["x-amzn-trace-id"]; v2 {
			h["x-amzn-trace-id"], h["x-forwarded-port"] = "TRACE", "PORT"
		} else {
			all["headers"], all["multiValueHeaders"] = "HEADERS", "HEADERS"
		}
		all["requestContext"] = "CONTEXT"
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
