package gateway_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tandem-api/tandem/localhost/gateway"
)

const guarded = `
Globals:
  HttpApi:
    Auth:
      DefaultAuthorizer: Login
      Authorizers:
        Login:
          IdentitySource: $request.header.Authorization
          JwtConfiguration: {issuer: "https://login.example", audience: [tandem, other]}
        Query:
          IdentitySource: $request.querystring.token
          JwtConfiguration: {issuer: "https://login.example", audience: [tandem]}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: {Type: HttpApi, Properties: {Method: GET, Path: /a}}
        Open: {Type: HttpApi, Properties: {Method: GET, Path: /open, Auth: {Authorizer: NONE}}}
        Scoped: {Type: HttpApi, Properties: {Method: GET, Path: /scoped, Auth: {AuthorizationScopes: [read, write]}}}
        Query: {Type: HttpApi, Properties: {Method: GET, Path: /query, Auth: {Authorizer: Query}}}
`

// token makes a token of the claims over those of a good one; nil takes a claim away.
func token(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	all := jwt.MapClaims{"iss": "https://login.example", "aud": "tandem", "sub": "ada", "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range claims {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	return signed(t, jwt.SigningMethodRS256, "one", key(t, "one"), all)
}

// signed makes a token of whatever is wanted.
func signed(t *testing.T, method jwt.SigningMethod, kid string, key any, claims jwt.MapClaims) string {
	t.Helper()
	made := jwt.NewWithClaims(method, claims)
	made.Header["kid"] = kid
	text, err := made.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestJWT(t *testing.T) {
	addr := stage{template: guarded, function: ok}.start(t)
	past, future := time.Now().Add(-time.Minute).Unix(), time.Now().Add(time.Minute).Unix()
	for _, c := range []struct {
		name, head string
		status     int
		challenge  string // part of www-authenticate
	}{
		{"no token", "GET /a", 401, "Bearer"},
		{"an empty one", "GET /a\nAuthorization: Bearer ", 401, "Bearer"},
		{"a good one", "GET /a\nAuthorization: Bearer " + token(t, nil), 200, ""},
		{"the scheme in another case", "GET /a\nAuthorization: bearer " + token(t, nil), 200, ""},
		{"without the scheme", "GET /a\nAuthorization: " + token(t, nil), 200, ""},
		{"nonsense", "GET /a\nAuthorization: Bearer nonsense", 401, `error="invalid_token"`},
		{"signed by a secret", "GET /a\nAuthorization: Bearer " + signed(t, jwt.SigningMethodHS256, "one", []byte("whoever signs"), nil), 401, `error_description="signing method HS256 is invalid"`},
		{"not signed", "GET /a\nAuthorization: Bearer " + signed(t, jwt.SigningMethodNone, "one", jwt.UnsafeAllowNoneSignatureType, nil), 401, `error_description="signing method none is invalid"`},
		{"Basic", "GET /a\nAuthorization: Basic dXNlcjpwYXNz", 401, `error="invalid_token"`},
		{"expired", "GET /a\nAuthorization: Bearer " + token(t, jwt.MapClaims{"exp": past}), 401, `error="invalid_token"`},
		{"without an end", "GET /a\nAuthorization: Bearer " + token(t, jwt.MapClaims{"exp": nil}), 401, `error="invalid_token"`},
		{"not valid yet", "GET /a\nAuthorization: Bearer " + token(t, jwt.MapClaims{"nbf": future}), 401, `error="invalid_token"`},
		{"from the future", "GET /a\nAuthorization: Bearer " + token(t, jwt.MapClaims{"iat": future}), 401, `error="invalid_token"`},
		{"of another issuer", "GET /a\nAuthorization: Bearer " + token(t, jwt.MapClaims{"iss": "https://evil.example"}), 401, `error="invalid_token"`},
		{"for another audience", "GET /a\nAuthorization: Bearer " + token(t, jwt.MapClaims{"aud": "someone"}), 401, `error="invalid_token"`},
		{"for several", "GET /a\nAuthorization: Bearer " + token(t, jwt.MapClaims{"aud": []string{"someone", "other"}}), 200, ""},
		{"for a client", "GET /a\nAuthorization: Bearer " + token(t, jwt.MapClaims{"aud": nil, "client_id": "tandem"}), 200, ""},
		{"for nobody", "GET /a\nAuthorization: Bearer " + token(t, jwt.MapClaims{"aud": nil}), 401, `error="invalid_token"`},
		{"an open route", "GET /open", 200, ""},
		{"a scope", "GET /scoped\nAuthorization: Bearer " + token(t, jwt.MapClaims{"scope": "list write"}), 200, ""},
		{"a scope in a list", "GET /scoped\nAuthorization: Bearer " + token(t, jwt.MapClaims{"scp": []string{"read"}}), 200, ""},
		{"another scope", "GET /scoped\nAuthorization: Bearer " + token(t, jwt.MapClaims{"scope": "list"}), 403, `Bearer scope="read write" error="insufficient_scope"`},
		{"no scope", "GET /scoped\nAuthorization: Bearer " + token(t, nil), 403, `error="insufficient_scope"`},
		{"in the query", "GET /query?token=" + token(t, nil), 200, ""},
		{"in the query, and not there", "GET /query\nAuthorization: Bearer " + token(t, nil), 401, "Bearer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := send(t, addr, c.head)
			switch {
			case c.status == 200 && got.status == 200:
			case c.status == 401:
				got.is(t, 401, `{"message":"Unauthorized"}`)
			default:
				got.is(t, c.status, `{"message":"Forbidden"}`)
			}
			if challenge := got.header.Get("Www-Authenticate"); !strings.Contains(challenge, c.challenge) || (challenge == "") != (c.status == 200) {
				t.Errorf("www-authenticate: %s", challenge)
			}
			if called := got.header.Get("X-Function") != ""; called != (c.status == 200) {
				t.Errorf("the function was called: %t", called)
			}
		})
	}
}

// TestClaims shows what a function's event says of a token.
func TestClaims(t *testing.T) {
	var event []byte
	handler := stage{template: guarded, function: func(_ http.ResponseWriter, r *http.Request) {
		var err error
		if event, err = gateway.Event(r); err != nil {
			t.Error(err)
		}
	}}.handler(t)
	bearer := token(t, jwt.MapClaims{"scope": "read", "groups": []string{"a", "b"}, "admin": true, "exp": 4102444800})
	handler.ServeHTTP(httptest.NewRecorder(), request(t, "GET /scoped\nAuthorization: Bearer "+bearer))
	var got struct {
		RequestContext struct {
			Authorizer json.RawMessage `json:"authorizer"`
		} `json:"requestContext"`
	}
	if err := json.Unmarshal(event, &got); err != nil {
		t.Fatal(err)
	}
	const want = `{"jwt":{"claims":{"admin":"true","aud":"tandem","exp":"4102444800","groups":"[a b]","iss":"https://login.example","scope":"read","sub":"ada"},"scopes":["read","write"]}}`
	if string(got.RequestContext.Authorizer) != want {
		t.Errorf("got  %s\nwant %s", got.RequestContext.Authorizer, want)
	}
}

// TestUncheckedAuthorizers shows what is said of them at the start.
func TestUncheckedAuthorizers(t *testing.T) {
	var log lines
	text := strings.Replace(guarded, "    Auth:\n", "    Auth:\n      EnableIamAuthorizer: true\n", 1) +
		"        IAM: {Type: HttpApi, Properties: {Method: GET, Path: /iam, Auth: {Authorizer: AWS_IAM}}}\n" +
		"        Cognito: {Type: Api, Properties: {Method: GET, Path: /cognito, RestApiId: !Ref Rest, Auth: {Authorizer: Users}}}\n" +
		"  Rest: {Type: AWS::Serverless::Api, Properties: {StageName: rest, Auth: {Authorizers: {Users: {UserPoolArn: arn:aws:x}}}}}\n"
	addr := stage{template: text, function: ok, log: &log}.start(t)
	for _, path := range []string{"/iam", "/rest/cognito"} {
		if got := send(t, addr, "GET "+path); got.status != 200 {
			t.Errorf("%s: %+v", path, got)
		}
	}
	for _, part := range []string{
		"msg=\"the signatures of tokens are NOT CHECKED on this machine: whoever calls can make one up. `localhost serve -jwks https://login.example=FILE` checks them by the issuer's keys\" authorizer=Login api=ServerlessHttpApi",
		`msg="this authorizer does not run on this machine: its routes are OPEN" authorizer=AWS_IAM type=AWS_IAM api=ServerlessHttpApi`,
		`msg="this authorizer does not run on this machine: its routes are OPEN" authorizer=Users type=COGNITO_USER_POOLS api=Rest`,
	} {
		if strings.Count(log.String(), part) != 1 {
			t.Errorf("the log lacks, or repeats, %s:\n%s", part, log.String())
		}
	}
}
