package gateway_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tandem-api/tandem/localhost/gateway"
)

// eventOf sends a request through a gateway and returns the event that it would be.
func eventOf(t *testing.T, template, head, body string) []byte {
	t.Helper()
	var event []byte
	handler := stage{template: template, isolated: true, function: func(_ http.ResponseWriter, r *http.Request) {
		var err error
		if event, err = gateway.Event(r); err != nil {
			t.Error(err)
		}
	}}.handler(t)
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire(head) + body)))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "192.0.2.1:1234"
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	if event == nil {
		t.Fatalf("the function was not called: %d %s", answer.Code, answer.Body)
	}
	return event
}

// fixed replaces what is another in each event, and is tested apart.
func fixed(t *testing.T, event []byte) string {
	t.Helper()
	for pattern, by := range map[string]string{
		`"(requestId|extendedRequestId)": ?"[\w=-]{16}"`:                  `"$1":"ID"`,
		`Root=1-[0-9a-f]{8}-[0-9a-f]{24}`:                                 `TRACE`,
		`"(time|requestTime)": ?"\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000"`: `"$1":"TIME"`,
		`"(timeEpoch|requestTimeEpoch)": ?\d{13}`:                         `"$1":1`,
	} {
		event = regexp.MustCompile(pattern).ReplaceAll(event, []byte(by))
	}
	return string(event)
}

func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestEvent(t *testing.T) {
	event := eventOf(t, routes("POST /v{version}/foo/{rest+}"),
		"POST /v1/foo/a%20b/c%2Fd?x=1&x=2&y=a+b%2C\nUser-Agent: test/1\nContent-Type: application/json\nCookie: a=1; b=2\nX-Twice: 1\nX-Twice: 2\nContent-Length: 13",
		`{"a":"<ä>"}`+"\n")
	sameJSON(t, fixed(t, event), `{
		"version": "2.0",
		"routeKey": "POST /v{version}/foo/{rest+}",
		"rawPath": "/v1/foo/a b/c/d",
		"rawQueryString": "x=1&x=2&y=a+b%2C",
		"cookies": ["a=1", "b=2"],
		"headers": {
			"host": "api.example.com:8080", "user-agent": "test/1", "content-type": "application/json", "content-length": "13", "x-twice": "1,2",
			"x-amzn-trace-id": "TRACE", "x-forwarded-for": "192.0.2.1", "x-forwarded-port": "80", "x-forwarded-proto": "http"
		},
		"queryStringParameters": {"x": "1,2", "y": "a b,"},
		"requestContext": {
			"accountId": "123456789012", "apiId": "local", "domainName": "api.example.com", "domainPrefix": "api",
			"http": {"method": "POST", "path": "/v1/foo/a b/c/d", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test/1"},
			"requestId": "ID", "routeKey": "POST /v{version}/foo/{rest+}", "stage": "$default", "time": "TIME", "timeEpoch": 1
		},
		"pathParameters": {"version": "1", "rest": "a b/c/d"},
		"body": "{\"a\":\"<ä>\"}\n",
		"isBase64Encoded": false
	}`)
	if !bytes.Contains(event, []byte("<ä>")) {
		t.Error("HTML is escaped")
	}
	d := json.NewDecoder(bytes.NewReader(event))
	d.DisallowUnknownFields()
	var typed events.APIGatewayV2HTTPRequest
	if err := d.Decode(&typed); err != nil {
		t.Errorf("aws-lambda-go: %v", err)
	}
	if off := time.Since(time.UnixMilli(typed.RequestContext.TimeEpoch)); off < 0 || off > time.Minute {
		t.Errorf("timeEpoch is %s ago", off)
	}
}

func TestEventLeavesOut(t *testing.T) {
	sameJSON(t, fixed(t, eventOf(t, routes("$default"), "GET /", "")), `{
		"version": "2.0", "routeKey": "$default", "rawPath": "/", "rawQueryString": "",
		"headers": {"host": "api.example.com:8080", "x-amzn-trace-id": "TRACE", "x-forwarded-for": "192.0.2.1", "x-forwarded-port": "80", "x-forwarded-proto": "http"},
		"requestContext": {
			"accountId": "123456789012", "apiId": "local", "domainName": "api.example.com", "domainPrefix": "api",
			"http": {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": ""},
			"requestId": "ID", "routeKey": "$default", "stage": "$default", "time": "TIME", "timeEpoch": 1
		},
		"isBase64Encoded": false
	}`)
}

func TestEventBodies(t *testing.T) {
	for _, c := range []struct {
		name, contentType, body string
		base64                  bool
	}{
		{"JSON", "application/json", `{"a":1}`, false},
		{"JSON with a charset", "application/json; charset=utf-8", `{"a":1}`, false},
		{"in another case", "Application/JSON", `{"a":1}`, false},
		{"XML", "application/xml", "<a/>", false},
		{"JavaScript", "application/javascript", "a()", false},
		{"text", "text/csv", "a,b", false},
		{"a parameter that is none", "text/plain; charset", "a", false},
		{"problem+json", "application/problem+json", "{}", true},
		{"a form", "application/x-www-form-urlencoded", "a=b", true},
		{"multipart", "multipart/form-data; boundary=x", "--x--", true},
		{"an image", "image/png", "\x89PNG", true},
		{"no type", "", "text", true},
		{"text that is none", "text/plain", "\xff\xfe", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			head := "POST /\nContent-Length: " + strconv.Itoa(len(c.body))
			if c.contentType != "" {
				head += "\nContent-Type: " + c.contentType
			}
			var got struct {
				Body     string `json:"body"`
				IsBase64 bool   `json:"isBase64Encoded"`
			}
			if err := json.Unmarshal(eventOf(t, routes("$default"), head, c.body), &got); err != nil {
				t.Fatal(err)
			}
			want := c.body
			if c.base64 {
				want = base64.StdEncoding.EncodeToString([]byte(c.body))
			}
			if got.Body != want || got.IsBase64 != c.base64 {
				t.Errorf("got %q, base64 %t", got.Body, got.IsBase64)
			}
		})
	}
}

func TestEventQuery(t *testing.T) {
	for raw, want := range map[string]map[string]string{
		"":                 nil,
		"a=b":              {"a": "b"},
		"a":                {"a": ""},
		"a=":               {"a": ""},
		"a=1&a=2&a=3":      {"a": "1,2,3"},
		"a=b%26c+d&%C3%A4": {"a": "b&c d", "ä": ""},
		"a=1;b=2":          {"a": "1;b=2"},
		"a=%zz&b=1":        {"a": "%zz", "b": "1"},
		"&&a=b=c&":         {"a": "b=c"},
	} {
		var got struct {
			RawQuery string            `json:"rawQueryString"`
			Query    map[string]string `json:"queryStringParameters"`
		}
		if err := json.Unmarshal(eventOf(t, routes("$default"), "GET /?"+raw, ""), &got); err != nil {
			t.Fatal(err)
		}
		if got.RawQuery != raw || !reflect.DeepEqual(got.Query, want) {
			t.Errorf("%s: got %q, %v; want %v", raw, got.RawQuery, got.Query, want)
		}
	}
}

func TestEventOfStages(t *testing.T) {
	for _, c := range []struct{ line, path, rawPath, contextPath, stage string }{
		{"GET /live/x/a", "", "/live/x/a", "", "live"},
		{"GET /Prod/foo", "/foo", "", "/Prod/foo", "Prod"},
	} {
		var got struct {
			RawPath        string `json:"rawPath"`
			Path           string `json:"path"`
			RequestContext struct {
				Stage string `json:"stage"`
				Path  string `json:"path"`
			} `json:"requestContext"`
		}
		if err := json.Unmarshal(eventOf(t, stages3, c.line, ""), &got); err != nil {
			t.Fatal(err)
		}
		if got.RawPath != c.rawPath || got.Path != c.path || got.RequestContext.Stage != c.stage || got.RequestContext.Path != c.contextPath {
			t.Errorf("%s: %+v", c.line, got)
		}
	}
}

func TestEvent1(t *testing.T) {
	template := strings.Replace(routes("POST /v{version}/foo"), "Method: POST", `PayloadFormatVersion: "1.0", Method: POST`, 1)
	event := eventOf(t, template,
		"POST /v1/foo?x=1&x=2\nUser-Agent: test/1\nContent-Type: text/plain\nCookie: a=1; b=2\nX-Twice: 1\nX-Twice: 2\nContent-Length: 2", "hi")
	sameJSON(t, fixed(t, event), `{
		"version": "1.0", "resource": "/v{version}/foo", "path": "/v1/foo", "httpMethod": "POST",
		"headers": {
			"Host": "api.example.com:8080", "User-Agent": "test/1", "Content-Type": "text/plain", "Content-Length": "2", "Cookie": "a=1; b=2", "X-Twice": "2",
			"X-Amzn-Trace-Id": "TRACE", "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Port": "80", "X-Forwarded-Proto": "http"
		},
		"multiValueHeaders": {
			"Host": ["api.example.com:8080"], "User-Agent": ["test/1"], "Content-Type": ["text/plain"], "Content-Length": ["2"], "Cookie": ["a=1; b=2"], "X-Twice": ["1", "2"],
			"X-Amzn-Trace-Id": ["TRACE"], "X-Forwarded-For": ["192.0.2.1"], "X-Forwarded-Port": ["80"], "X-Forwarded-Proto": ["http"]
		},
		"queryStringParameters": {"x": "2"}, "multiValueQueryStringParameters": {"x": ["1", "2"]},
		"requestContext": {
			"accountId": "123456789012", "apiId": "local", "domainName": "api.example.com", "domainPrefix": "api",
			"extendedRequestId": "ID", "requestId": "ID", "httpMethod": "POST", "path": "/v1/foo", "protocol": "HTTP/1.1",
			"identity": {"sourceIp": "192.0.2.1", "userAgent": "test/1"}, "requestTime": "TIME", "requestTimeEpoch": 1,
			"resourceId": null, "resourcePath": "/v{version}/foo", "stage": "$default"
		},
		"pathParameters": {"version": "1"}, "stageVariables": null, "body": "hi", "isBase64Encoded": false
	}`)
	var nothing struct {
		Query, Body, PathParameters any
	}
	if err := json.Unmarshal(eventOf(t, strings.Replace(routes("GET /a"), "Method: GET", `PayloadFormatVersion: "1.0", Method: GET`, 1), "GET /a", ""), &nothing); err != nil {
		t.Fatal(err)
	}
	if nothing.Query != nil || nothing.Body != nil || nothing.PathParameters != nil {
		t.Errorf("what there is not is null: %+v", nothing)
	}
}

func TestEventOfAnotherRequest(t *testing.T) {
	if _, err := gateway.Event(httptest.NewRequest("GET", "/", nil)); err == nil {
		t.Error("an event of a request that no gateway has seen")
	}
}
