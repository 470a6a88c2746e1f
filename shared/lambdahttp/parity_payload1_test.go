package lambdahttp_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

// The kinds of API that send events of payload format 1.0.
const (
	httpAPI = "an HTTP API"
	restAPI = "a REST API" // whose paths are as they were sent
)

// event1 makes of a request an event of payload format 1.0.
func event1(t *testing.T, api, route string, r *http.Request) lambdahttp.Event1 {
	t.Helper()
	header, escaped := r.Header.Clone(), r.URL.EscapedPath()
	v2 := apptest.Event(t, route, r)
	var e lambdahttp.Event1
	e.Version, e.Resource, e.HTTPMethod, e.Path = "1.0", "$default", r.Method, r.URL.Path
	if _, path, ok := strings.Cut(route, " "); ok {
		e.Resource = path
	}
	e.PathParameters = v2.PathParameters
	if api == restAPI {
		e.Version, e.Path = "", escaped
		e.PathParameters = map[string]string{}
		for name, value := range v2.PathParameters {
			e.PathParameters[name] = url.PathEscape(value)
			if name == "proxy" {
				e.PathParameters[name] = (&url.URL{Path: value}).EscapedPath()
			}
		}
		if e.Resource == "$default" {
			e.Resource, e.PathParameters["proxy"] = "/{proxy+}", strings.TrimPrefix(escaped, "/")
		}
	}
	e.MultiValueHeaders, e.Headers = header, map[string]string{}
	header["Host"] = []string{r.Host}
	header["X-Amzn-Trace-Id"] = []string{v2.Headers["x-amzn-trace-id"]}
	for name, values := range header {
		e.Headers[name] = values[len(values)-1]
	}
	e.MultiValueQueryStringParameters = loose(r.URL.RawQuery)
	e.Body, e.IsBase64Encoded = v2.Body, v2.IsBase64Encoded
	e.RequestContext = events.APIGatewayProxyRequestContext{
		AccountID: "123456789012", APIID: "api-id", Stage: "Prod", DomainName: v2.RequestContext.DomainName,
		HTTPMethod: r.Method, Path: "/Prod" + r.URL.Path, Protocol: r.Proto, RequestID: v2.RequestContext.RequestID,
		ResourcePath: e.Resource, Identity: events.APIGatewayRequestIdentity{SourceIP: "192.0.2.1"},
	}
	return e
}

// loose reads a query as the gateway does, which takes what url.ParseQuery refuses.
func loose(raw string) map[string][]string {
	all := map[string][]string{}
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		plain := func(s string) string {
			if u, err := url.QueryUnescape(s); err == nil {
				return u
			}
			return s
		}
		all[plain(name)] = append(all[plain(name)], plain(value))
	}
	return all
}

// invoke1 passes the event and the answer through JSON, as the Runtime API does.
func invoke1(t *testing.T, h http.Handler, e lambdahttp.Event1) (answer events.APIGatewayProxyResponse, err error) {
	t.Helper()
	event, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	text, err := lambdahttp.NewHandler(quiet(), h, nil).Invoke(t.Context(), event)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatal(err)
	}
	return answer, nil
}

// overLambda1 hands the request to the handler as the API and Lambda would.
func (c same) overLambda1(t *testing.T, api string) (o outcome) {
	t.Helper()
	answer, err := invoke1(t, c.watch(&o.saw), event1(t, api, c.routeKey(), c.read(t)))
	if err != nil {
		o.aborted = true
		return o
	}
	o.status, o.header, o.body = answer.StatusCode, map[string]string{}, answer.Body
	for name, values := range answer.MultiValueHeaders {
		trimmed := slices.Clone(values)
		for i := range trimmed {
			trimmed[i] = textproto.TrimString(trimmed[i])
		}
		o.header[name] = strings.Join(trimmed, ",")
	}
	if answer.IsBase64Encoded {
		plain, err := base64.StdEncoding.DecodeString(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		o.body = string(plain)
	}
	return o
}

// The same table in payload format 1.0. Its events have the query decoded, and in no
// order: the handler sees one that says the same.
func TestSameAsNetHTTPInPayload1(t *testing.T) {
	for _, api := range []string{httpAPI, restAPI} {
		for _, c := range slices.Concat(requests, answers) {
			t.Run(api+"/"+c.name, func(t *testing.T) {
				want, got := c.overHTTP(t), c.overLambda1(t, api)
				want.saw.query = url.Values(loose(want.saw.query)).Encode()
				if c.differs && want.aborted {
					want = got
				}
				compare(t, want, got)
				if c.want != nil && !c.raw {
					c.want(t, got)
				}
			})
		}
	}
}

func TestRepeatedHeadersInPayload1(t *testing.T) {
	e := event1(t, restAPI, "GET /users/{id}", same{request: "GET /users/1 HTTP/1.1\nX-A: 1\nX-A: 2\nCookie: a=1\nCookie: b=2"}.read(t))
	answer, err := invoke1(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header["X-A"], r.Cookies())
	}), e)
	if err != nil || answer.Body != "[1 2] [a=1 b=2]" {
		t.Errorf("%+v, %v", answer, err)
	}
	answer, err = invoke1(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
		w.Header().Add("Link", "<a>")
		w.Header().Add("Link", "<b>")
	}), e)
	want := map[string][]string{"Set-Cookie": {"a=1", "b=2"}, "Link": {"<a>", "<b>"}, "Content-Length": {"0"}}
	if err != nil || !maps.EqualFunc(answer.MultiValueHeaders, want, slices.Equal) {
		t.Errorf("%+v, %v; want %v", answer, err, want)
	}
}

func TestPathsInPayload1(t *testing.T) {
	for _, c := range []struct {
		name, event string
		want        string // the escaped path
	}{
		{"a REST API's path as it was sent", `{"resource":"/users/{id}","path":"/users/a%2Fb","httpMethod":"GET","pathParameters":{"id":"a%2Fb"}}`, "/users/a%2Fb"},
		{"the base path of a domain", `{"resource":"/users/{id}","path":"/shop/users/a%20b","httpMethod":"GET","pathParameters":{"id":"a%20b"}}`, "/users/a%20b"},
		{"written by hand, with a percent sign", `{"path":"/50%","httpMethod":"GET"}`, "/50%25"},
		{"written by hand, with a question mark", `{"path":"/a?b","httpMethod":"GET"}`, "/a%3Fb"},
		{"no path but in the context", `{"httpMethod":"GET","requestContext":{"path":"/foo"}}`, "/foo"},
		{"no path at all", `{"httpMethod":"GET"}`, "/"},
		{"an HTTP API's stage", `{"version":"1.0","resource":"$default","path":"/prod/a b","httpMethod":"GET","requestContext":{"stage":"prod"}}`, "/a%20b"},
		{"an HTTP API's variable", `{"version":"1.0","resource":"/users/{id}","path":"/prod/users/a/b","httpMethod":"GET","pathParameters":{"id":"a/b"},"requestContext":{"stage":"prod"}}`, "/users/a%2Fb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got string
			_, err := lambdahttp.NewHandler(quiet(), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got = r.URL.EscapedPath()
			}), nil).Invoke(t.Context(), []byte(c.event))
			if err != nil || got != c.want {
				t.Errorf("%s, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestWhatElseIsInPayload1(t *testing.T) {
	for _, c := range []struct {
		name, event string
		ask         func(*http.Request) string
		want        string
	}{
		{"single headers alone", `{"httpMethod":"GET","headers":{"host":"a.example","x-a":"1"}}`,
			func(r *http.Request) string { return r.Host + " " + r.Header.Get("X-A") }, "a.example 1"},
		{"names in several cases", `{"httpMethod":"GET","multiValueHeaders":{"x-a":["1"]}}`,
			func(r *http.Request) string { return r.Header.Get("X-A") }, "1"},
		{"a single query alone", `{"httpMethod":"GET","queryStringParameters":{"b":"2 &","a":"1"}}`,
			func(r *http.Request) string { return r.RequestURI }, "/?a=1&b=2+%26"},
		{"the query's repeated values", `{"httpMethod":"GET","multiValueQueryStringParameters":{"a":["1","2"]},"queryStringParameters":{"a":"2"}}`,
			func(r *http.Request) string { return fmt.Sprint(r.URL.Query()["a"]) }, "[1 2]"},
		{"null for what is not there", `{"httpMethod":"GET","headers":null,"multiValueHeaders":null,"queryStringParameters":null,"pathParameters":null,"body":null}`,
			func(r *http.Request) string { return fmt.Sprint(r.Body == http.NoBody, len(r.Header)) }, "true 0"},
		{"an address", `{"httpMethod":"GET","requestContext":{"identity":{"sourceIp":"2001:db8::1"}}}`,
			func(r *http.Request) string { return r.RemoteAddr }, "[2001:db8::1]:0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got string
			_, err := lambdahttp.NewHandler(quiet(), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = c.ask(r) }), nil).
				Invoke(t.Context(), []byte(c.event))
			if err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
	t.Run("a body that is not base64", func(t *testing.T) {
		var e lambdahttp.Event1
		e.HTTPMethod, e.Body, e.IsBase64Encoded = "POST", "ab*=", true
		answer, err := invoke1(t, http.NotFoundHandler(), e)
		if err != nil || answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%+v, %v; want a 400 problem", answer, err)
		}
	})
}
