package lambdahttp_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/lambdahttp"
	"github.com/tandem-api/tandem/shared/logging"
)

// get is an event of GET on the path.
func get(path string, change ...func(*events.APIGatewayV2HTTPRequest)) events.APIGatewayV2HTTPRequest {
	var e events.APIGatewayV2HTTPRequest
	e.Version, e.RouteKey, e.RawPath = "2.0", "$default", path
	e.RequestContext.Stage = "$default"
	e.RequestContext.HTTP.Method, e.RequestContext.HTTP.Path = "GET", path
	for _, c := range change {
		c(&e)
	}
	return e
}

func TestPaths(t *testing.T) {
	route := func(key string, params map[string]string) func(*events.APIGatewayV2HTTPRequest) {
		return func(e *events.APIGatewayV2HTTPRequest) { e.RouteKey, e.PathParameters = key, params }
	}
	stage := func(name string) func(*events.APIGatewayV2HTTPRequest) {
		return func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.Stage = name }
	}
	for _, c := range []struct {
		name  string
		event events.APIGatewayV2HTTPRequest
		want  string // the escaped path
	}{
		{"a stage", get("/prod/foo", stage("prod")), "/foo"},
		{"a stage alone", get("/prod", stage("prod")), "/"},
		{"a stage and a slash", get("/prod/", stage("prod")), "/"},
		{"a path that begins like the stage", get("/products", stage("prod")), "/products"},
		{"a path without the stage, as over a domain of one's own", get("/foo", stage("prod")), "/foo"},
		{"a path like the default stage", get("/$default/foo"), "/$default/foo"},
		{"a stage before a route", get("/prod/users/a/b", stage("prod"), route("GET /users/{id}", map[string]string{"id": "a/b"})), "/users/a%2Fb"},
		{"the base path of a domain", get("/shop/users/1", route("GET /users/{id}", map[string]string{"id": "1"})), "/users/1"},
		{"the base path of a domain before the root", get("/shop/", route("GET /", nil)), "/"},
		{"a route that the path is not of", get("/users/1", route("GET /posts/{id}", map[string]string{"id": "1"})), "/users/1"},
		{"a variable without a value", get("/users/a/b", route("GET /users/{id}", nil)), "/users/a/b"},
		{"a route that does not end its variable", get("/users/1", route("GET /users/{id", map[string]string{"id": "1"})), "/users/1"},
		{"a greedy variable", get("/files/a b/c?d", route("ANY /files/{proxy+}", map[string]string{"proxy": "a b/c?d"})), "/files/a%20b/c%3Fd"},
		{"every character that is special", get("/users/%/?#[]{}\"\\^`|;,=&+$@:!'()*", route("GET /users/{id}", map[string]string{"id": "%/?#[]{}\"\\^`|;,=&+$@:!'()*"})),
			"/users/%25%2F%3F%23%5B%5D%7B%7D%22%5C%5E%60%7C%3B%2C=&+$@:%21%27%28%29%2A"},
		{"no path but in the context", get("", func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Path = "/foo" }), "/foo"},
		{"no path at all", get(""), "/"},
		{"no slash", get("foo"), "/foo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got string
			_, err := invoke(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.URL.EscapedPath() }), c.event)
			if err != nil || got != c.want {
				t.Errorf("%s, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestEventsThatOtherEmulatorsSend(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*events.APIGatewayV2HTTPRequest)
		ask    func(*http.Request) string
		want   string
	}{
		{"headers in their own case", func(e *events.APIGatewayV2HTTPRequest) {
			e.RequestContext.RequestID = "id"
			e.Headers = map[string]string{"Host": "a.example", "CONTENT-type": "text/x", "X-Amzn-Trace-Id": "Root=1-2"}
		}, func(r *http.Request) string {
			return r.Host + " " + r.Header.Get("Content-Type") + " " + logging.Value(r.Context(), logging.TraceID)
		}, "a.example text/x 1-2"},
		{"cookies in a header", func(e *events.APIGatewayV2HTTPRequest) {
			e.Headers = map[string]string{"cookie": "a=1; b=2"}
		}, func(r *http.Request) string { return fmt.Sprint(r.Cookies()) }, "[a=1 b=2]"},
		{"cookies in both", func(e *events.APIGatewayV2HTTPRequest) {
			e.Headers, e.Cookies = map[string]string{"cookie": "a=1; b=2"}, []string{"a=1", "b=2"}
		}, func(r *http.Request) string { return fmt.Sprint(r.Cookies()) }, "[a=1 b=2]"},
		{"a query in its parameters alone", func(e *events.APIGatewayV2HTTPRequest) {
			e.QueryStringParameters = map[string]string{"b": "2 &", "a": "1"}
		}, func(r *http.Request) string { return r.RequestURI }, "/foo?a=1&b=2+%26"},
		{"no host but the domain's", func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.DomainName = "api.example" },
			func(r *http.Request) string { return r.Host }, "api.example"},
		{"an address of IPv6", func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.SourceIP = "2001:db8::1" },
			func(r *http.Request) string { return r.RemoteAddr }, "[2001:db8::1]:0"},
		{"no protocol", func(*events.APIGatewayV2HTTPRequest) {}, func(r *http.Request) string { return r.Proto }, "HTTP/1.1"},
		{"no body", func(*events.APIGatewayV2HTTPRequest) {}, func(r *http.Request) string { return fmt.Sprint(r.Body == http.NoBody) }, "true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got string
			_, err := invoke(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = c.ask(r) }), get("/foo", c.change))
			if err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestWhatIsNoRequest(t *testing.T) {
	unreachable := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") })
	t.Run("an event of something else", func(t *testing.T) {
		for _, event := range []string{`{}`, `{"Records":[]}`, `{"httpMethod":""}`, `{"version":"2.0","requestContext":{}}`} {
			_, err := lambdahttp.NewHandler(quiet(), unreachable, nil).Invoke(t.Context(), []byte(event))
			if err == nil || !strings.Contains(err.Error(), "not a request of an API") {
				t.Errorf("%s: %v", event, err)
			}
		}
	})
	for name, change := range map[string]func(*events.APIGatewayV2HTTPRequest){
		"a body that is not base64":  func(e *events.APIGatewayV2HTTPRequest) { e.Body, e.IsBase64Encoded = "ab*=", true },
		"a body of base64 cut short": func(e *events.APIGatewayV2HTTPRequest) { e.Body, e.IsBase64Encoded = "YWJjZ", true },
		"a method that is none":      func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = "GET /x" },
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := invoke(t, unreachable, get("/foo", change, func(e *events.APIGatewayV2HTTPRequest) {
				e.RequestContext.RequestID = "abc="
			}))
			if err != nil || answer.StatusCode != 400 || answer.Headers["Content-Type"] != httperror.ContentType {
				t.Errorf("%+v, %v; want a 400 problem", answer, err)
			}
			if !strings.Contains(answer.Body, `"requestId":"abc="`) {
				t.Errorf("%s does not name the request", answer.Body)
			}
		})
	}
}

func TestContext(t *testing.T) {
	deadline := time.Now().Add(time.Minute)
	ctx, cancel := context.WithDeadline(lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "aws-1"}), deadline)
	defer cancel()
	e := get("/foo", func(e *events.APIGatewayV2HTTPRequest) {
		e.RequestContext.RequestID = "gateway-1"
		e.Headers = map[string]string{"x-amzn-trace-id": "Self=1-a;Root=1-67-ab;Parent=c;Sampled=1"}
	})
	_, err := lambdahttp.Adapt(quiet(), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if got, ok := ctx.Deadline(); !ok || !got.Equal(deadline) {
			t.Errorf("deadline %v; want %v", got, deadline)
		}
		if lc, ok := lambdacontext.FromContext(ctx); !ok || lc.AwsRequestID != "aws-1" {
			t.Errorf("Lambda's context %+v", lc)
		}
		for key, want := range map[string]string{logging.RequestID: "gateway-1", logging.TraceID: "1-67-ab", "awsRequestId": "aws-1"} {
			if got := logging.Value(ctx, key); got != want {
				t.Errorf("%s %q; want %q", key, got, want)
			}
		}
	}))(ctx, e)
	if err != nil {
		t.Error(err)
	}
}

func TestBodiesInTheAnswer(t *testing.T) {
	for _, c := range []struct {
		name   string
		header map[string]string
		body   string
		base64 bool
	}{
		{"text", nil, "text", false},
		{"bytes", nil, "\xff", true},
		{"text that is compressed", map[string]string{"Content-Encoding": "br"}, "looks like text", true},
		{"nothing, compressed", map[string]string{"Content-Encoding": "br"}, "", true},
		{"text under a type of bytes", map[string]string{"Content-Type": "application/octet-stream"}, "text", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, err := invoke(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range c.header {
					w.Header().Set(name, value)
				}
				fmt.Fprint(w, c.body)
			}), get("/"))
			body := answer.Body
			if answer.IsBase64Encoded {
				plain, _ := base64.StdEncoding.DecodeString(body)
				body = string(plain)
			}
			if err != nil || answer.IsBase64Encoded != c.base64 || body != c.body {
				t.Errorf("%+v, %v; want base64 %v", answer, err, c.base64)
			}
		})
	}
}

// The limit is one of the whole answer's JSON, so each kind of body has its own.
func TestAnswersOverThePayloadLimit(t *testing.T) {
	const most = lambdahttp.MaxPayload
	for _, c := range []struct {
		name string
		body string
		fits bool
	}{
		{"text below", strings.Repeat("a", most-1000), true},
		{"text above", strings.Repeat("a", most), false},
		{"quotes below", strings.Repeat(`"`, most/2-1000), true},
		{"quotes above", strings.Repeat(`"`, most/2), false},
		{"control characters below", strings.Repeat("\x01", most/6-1000), true},
		{"control characters above", strings.Repeat("\x01", most/6), false},
		{"line separators below", strings.Repeat("\u2028", most/6-1000), true},
		{"line separators above", strings.Repeat("\u2028", most/6), false},
		{"bytes below", strings.Repeat("\xff", most/4*3-1000), true},
		{"bytes above", strings.Repeat("\xff", most/4*3), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			app := function.New(config.Config{Lambda: "foo"}, &log)
			answer, err := lambdahttp.Adapt(app, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Mine", "1")
				fmt.Fprint(w, c.body)
			}))(t.Context(), get("/foo"))
			if err != nil {
				t.Fatal(err)
			}
			size := len(encode(t, answer))
			if c.fits {
				if answer.StatusCode != 200 || size > most || log.Len() > 0 {
					t.Errorf("%d, %d bytes of JSON, log %.200s; want the answer to pass", answer.StatusCode, size, &log)
				}
				return
			}
			if answer.StatusCode != 500 || answer.Headers["X-Mine"] != "" || answer.Headers["Content-Type"] != httperror.ContentType || size > 1000 {
				t.Errorf("%d %v, %d bytes of JSON; want a 500 problem", answer.StatusCode, answer.Headers, size)
			}
			if !strings.Contains(log.String(), "over Lambda's limit of 6291456") {
				t.Errorf("the log does not tell: %.300s", &log)
			}
		})
	}
}

// encode is the answer as aws-lambda-go sends it.
func encode(t *testing.T, answer events.APIGatewayV2HTTPResponse) []byte {
	t.Helper()
	text, err := lambda.NewHandler(func() (events.APIGatewayV2HTTPResponse, error) { return answer, nil }).Invoke(t.Context(), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAPanicIsReportedAndEndsNothing(t *testing.T) {
	var log bytes.Buffer
	h := lambdahttp.Adapt(function.New(config.Config{Lambda: "foo"}, &log), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("the key is missing")
		}
	}))
	if _, err := h(t.Context(), get("/panic")); err == nil || strings.Contains(err.Error(), "key") {
		t.Errorf("%v; want an error without internals", err)
	}
	if !strings.Contains(log.String(), "the key is missing") {
		t.Errorf("the log does not tell: %s", &log)
	}
	if answer, err := h(t.Context(), get("/")); err != nil || answer.StatusCode != 200 {
		t.Errorf("after it: %+v, %v", answer, err)
	}
}

func TestTheFilesOfAFormAreRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	_, err := invoke(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1); err != nil {
			t.Error(err)
		}
	}), get("/", func(e *events.APIGatewayV2HTTPRequest) {
		e.RequestContext.HTTP.Method = "POST"
		e.Headers = map[string]string{"content-type": "multipart/form-data; boundary=X"}
		e.Body = "--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n" + strings.Repeat("a", 11<<20) + "\r\n--X--\r\n"
	}))
	if err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "*")); err != nil || len(left) > 0 {
		t.Errorf("%v, %v; want none", left, err)
	}
}

func BenchmarkAdapt(b *testing.B) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"hello":"world"}`)
	})
	r := httptest.NewRequest("GET", "/v1/foo?a=1", nil)
	for name, value := range map[string]string{"Accept": "*/*", "Accept-Encoding": "gzip, deflate, br", "User-Agent": "curl/8.5.0", "Authorization": "Bearer abc"} {
		r.Header.Set(name, value)
	}
	event := apptest.Event(b, "GET /v{version}/foo", r)
	text, err := json.Marshal(event)
	if err != nil {
		b.Fatal(err)
	}
	bare, mended := httpadapter.NewV2(h).ProxyWithContext, lambdahttp.Adapt(quiet(), h)
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"the bare proxy", func() error { _, err := bare(b.Context(), event); return err }},
		{"mended", func() error { _, err := mended(b.Context(), event); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for name, handler := range map[string]lambda.Handler{
		"JSON to JSON, the bare proxy": lambda.NewHandler(bare), "JSON to JSON, mended": lambdahttp.NewHandler(quiet(), h, nil),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := handler.Invoke(b.Context(), text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
