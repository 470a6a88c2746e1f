package lambdahttp_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/lambdahttp"
)

// same is a request and a handler that must meet alike over net/http and over Lambda.
type same struct {
	name    string
	request string           // as on the wire, lines parted by a plain \n; "" is GET /
	body    string           // sent with its Content-Length
	route   string           // the gateway's, "$default" where empty
	handler http.HandlerFunc // nil: one that answers nothing but records what it sees
	want    func(t *testing.T, got outcome)
	// differs says that net/http answers by breaking the connection off halfway, and
	// Lambda, where there is no half an answer, by a 500.
	differs bool
	// raw says that want looks at the query as it was sent, which only 2.0 carries.
	raw bool
}

// outcome is what a client gets to see, and what the handler saw.
type outcome struct {
	aborted bool // no answer, or half an answer
	status  int
	header  map[string]string
	body    string
	saw     sight
}

// sight is what a handler sees of a request.
type sight struct {
	method, path, escaped, query, host, proto, body string
	header                                          map[string]string
	cookies                                         []string
	length                                          int64
	remoteIsAddrPort                                bool
}

// wire makes the request's bytes.
func (c same) wire() []byte {
	head := c.request
	if head == "" {
		head = "GET / HTTP/1.1"
	}
	if !strings.Contains(head, "\nHost: ") {
		head += "\nHost: api.example.com"
	}
	if c.body != "" {
		head += fmt.Sprintf("\nContent-Length: %d", len(c.body))
	}
	return []byte(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n" + c.body)
}

// watch records what the handler sees, then runs it.
func (c same) watch(s *sight) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := netip.ParseAddrPort(r.RemoteAddr)
		*s = sight{
			method: r.Method, path: r.URL.Path, escaped: r.URL.EscapedPath(), query: r.URL.RawQuery, host: r.Host, proto: r.Proto,
			header: join(r.Header), length: r.ContentLength, remoteIsAddrPort: err == nil,
		}
		for name := range s.header {
			if strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "X-Amzn-") || name == "Cookie" {
				delete(s.header, name)
			}
		}
		for _, k := range r.Cookies() {
			s.cookies = append(s.cookies, k.String())
		}
		if c.handler != nil {
			c.handler(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			s.body = err.Error()
			return
		}
		s.body = string(body)
	})
}

// join puts repeated headers together, as the gateway does with both directions, and
// drops what belongs to the connection.
func join(h http.Header) map[string]string {
	all := map[string]string{}
	for name, values := range h {
		if name != "Date" && name != "Connection" && len(values) > 0 {
			all[name] = strings.Join(values, ",")
		}
	}
	return all
}

// overHTTP serves the request with net/http.
func (c same) overHTTP(t *testing.T) (o outcome) {
	t.Helper()
	server := httptest.NewUnstartedServer(c.watch(&o.saw))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	wire := c.wire()
	if _, err := conn.Write(wire); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(string(wire), " ")
	answers := bufio.NewReader(conn)
	for {
		answer, err := http.ReadResponse(answers, &http.Request{Method: method}) //nolint:bodyclose // the connection is closed
		if err != nil {
			o.aborted = true
			return o
		}
		if answer.StatusCode < 200 && answer.StatusCode != http.StatusSwitchingProtocols {
			continue
		}
		o.status, o.header = answer.StatusCode, join(answer.Header)
		if answer.StatusCode == http.StatusSwitchingProtocols {
			return o
		}
		body, err := io.ReadAll(answer.Body)
		o.body, o.aborted = string(body), err != nil
		if answer.ContentLength == -1 {
			o.header["Content-Length"] = "chunked"
		}
		return o
	}
}

// overLambda hands the request to the handler as API Gateway and Lambda would.
func (c same) overLambda(t *testing.T) (o outcome) {
	t.Helper()
	answer, err := invoke(t, c.watch(&o.saw), apptest.Event(t, c.routeKey(), c.read(t)))
	if err != nil {
		o.aborted = true
		return o
	}
	o.status, o.header, o.body = answer.StatusCode, maps.Clone(answer.Headers), answer.Body
	if len(answer.Cookies) > 0 {
		o.header["Set-Cookie"] = strings.Join(answer.Cookies, ",")
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

// read is the request as a server has read it.
func (c same) read(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(c.wire())))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (c same) routeKey() string { return cmp.Or(c.route, "$default") }

// invoke passes the event and the answer through JSON, as the Runtime API does.
func invoke(t testing.TB, h http.Handler, e events.APIGatewayV2HTTPRequest) (answer events.APIGatewayV2HTTPResponse, err error) {
	t.Helper()
	event, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	text, err := lambda.NewHandler(lambdahttp.Adapt(quiet(), h)).Invoke(t.Context(), event)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatal(err)
	}
	return answer, nil
}

// quiet is an App that logs nothing.
func quiet() *function.App {
	return function.New(config.Config{LogLevel: 12, Lambda: "test"}, io.Discard)
}

func TestSameAsNetHTTP(t *testing.T) {
	for _, c := range slices.Concat(requests, answers) {
		t.Run(c.name, func(t *testing.T) {
			want, got := c.overHTTP(t), c.overLambda(t)
			if c.differs && want.aborted {
				want = got
			}
			compare(t, want, got)
			if c.want != nil {
				c.want(t, got)
			}
		})
	}
}

func compare(t *testing.T, want, got outcome) {
	t.Helper()
	if w, g := fmt.Sprintf("%+v", want.saw), fmt.Sprintf("%+v", got.saw); w != g {
		t.Errorf("the handler saw\n%.2000s\nand over net/http\n%.2000s", g, w)
	}
	if want.aborted || got.aborted {
		if want.aborted != got.aborted {
			t.Errorf("aborted: %v; over net/http: %v", got.aborted, want.aborted)
		}
		return
	}
	// Without buffers to the end, net/http does not know the length; here it is known.
	if want.header["Content-Length"] == "chunked" {
		delete(want.header, "Content-Length")
		delete(got.header, "Content-Length")
	}
	if want.status != got.status || !maps.Equal(want.header, got.header) || want.body != got.body {
		t.Errorf("answered\n%d %v\n%.500q\nand over net/http\n%d %v\n%.500q",
			got.status, got.header, got.body, want.status, want.header, want.body)
	}
}
