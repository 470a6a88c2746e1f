package gateway_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
)

// withCORS is a template of one route with that CorsConfiguration.
func withCORS(configuration string) string {
	return "Globals: {HttpApi: {CorsConfiguration: " + configuration + "}}\n" + routes("GET /a", "OPTIONS /b")
}

func TestCORS(t *testing.T) {
	const (
		all = `{AllowOrigins: ["https://example.com", "http://localhost:3000"], AllowMethods: [GET, PUT], AllowHeaders: [content-type, x-mine],
			ExposeHeaders: [x-yours], MaxAge: 600, AllowCredentials: true}`
		preflight = "\nAccess-Control-Request-Method: PUT\nAccess-Control-Request-Headers: x-mine"
	)
	own := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "https://own.example")
		w.Header().Set("Access-Control-Max-Age", "1")
		w.Header().Set("Vary", "Origin")
	}
	for _, c := range []struct {
		name, configuration, head string
		status                    int
		want                      map[string]string // the access-control headers, all of them
	}{
		{"a preflight", all, "OPTIONS /a\nOrigin: https://example.com" + preflight, 204, map[string]string{
			"Allow-Origin": "https://example.com", "Allow-Methods": "GET,PUT", "Allow-Headers": "content-type,x-mine", "Max-Age": "600", "Allow-Credentials": "true"}},
		{"of another of its origins", all, "OPTIONS /a\nOrigin: http://localhost:3000" + preflight, 204, map[string]string{
			"Allow-Origin": "http://localhost:3000", "Allow-Methods": "GET,PUT", "Allow-Headers": "content-type,x-mine", "Max-Age": "600", "Allow-Credentials": "true"}},
		{"of a foreign origin", all, "OPTIONS /a\nOrigin: https://evil.example" + preflight, 204, nil},
		{"of a path without a route", all, "OPTIONS /none\nOrigin: https://example.com" + preflight, 204, map[string]string{
			"Allow-Origin": "https://example.com", "Allow-Methods": "GET,PUT", "Allow-Headers": "content-type,x-mine", "Max-Age": "600", "Allow-Credentials": "true"}},
		{"where a route is for OPTIONS", all, "OPTIONS /b\nOrigin: https://example.com" + preflight, 204, map[string]string{
			"Allow-Origin": "https://example.com", "Allow-Methods": "GET,PUT", "Allow-Headers": "content-type,x-mine", "Max-Age": "600", "Allow-Credentials": "true"}},
		{"OPTIONS that is none goes to its route", all, "OPTIONS /b\nOrigin: https://example.com", 200, map[string]string{
			"Allow-Origin": "https://example.com", "Expose-Headers": "x-yours", "Allow-Credentials": "true"}},
		{"OPTIONS without a route", all, "OPTIONS /a", 404, nil},
		{"a request of an origin", all, "GET /a\nOrigin: https://example.com", 200, map[string]string{
			"Allow-Origin": "https://example.com", "Expose-Headers": "x-yours", "Allow-Credentials": "true"}},
		{"a request of a foreign origin", all, "GET /a\nOrigin: https://evil.example", 200, nil},
		{"a request without an origin", all, "GET /a", 200, nil},
		{"an error", all, "GET /none\nOrigin: https://example.com", 404, map[string]string{
			"Allow-Origin": "https://example.com", "Expose-Headers": "x-yours", "Allow-Credentials": "true"}},
		{"any origin", `{AllowOrigins: ["*"], AllowMethods: ["*"], AllowHeaders: ["*"]}`, "OPTIONS /a\nOrigin: https://any.example" + preflight, 204, map[string]string{
			"Allow-Origin": "*", "Allow-Methods": "*", "Allow-Headers": "*"}},
		{"any origin of HTTPS", `{AllowOrigins: ["https://*"]}`, "GET /a\nOrigin: https://any.example", 200, map[string]string{"Allow-Origin": "https://any.example"}},
		{"but not of HTTP", `{AllowOrigins: ["https://*"]}`, "GET /a\nOrigin: http://any.example", 200, nil},
		{"true alone", "true", "GET /a\nOrigin: https://any.example", 200, map[string]string{"Allow-Origin": "*"}},
		{"not configured: the function's own", "false", "GET /a\nOrigin: https://any.example", 200, map[string]string{"Allow-Origin": "https://own.example", "Max-Age": "1"}},
		{"not configured: a preflight has its route", "false", "OPTIONS /b\nOrigin: https://any.example" + preflight, 200, map[string]string{"Allow-Origin": "https://own.example", "Max-Age": "1"}},
		{"not configured: or none", "false", "OPTIONS /a\nOrigin: https://any.example" + preflight, 404, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := send(t, stage{template: withCORS(c.configuration), function: own}.start(t), c.head)
			headers := map[string]string{}
			for name, values := range got.header {
				if short, ok := strings.CutPrefix(name, "Access-Control-"); ok {
					headers[short] = strings.Join(values, "|")
				}
			}
			if got.status != c.status || !maps.Equal(headers, c.want) {
				t.Errorf("got %d %v, want %d %v", got.status, headers, c.status, c.want)
			}
			if got.header.Get("Apigw-Requestid") == "" {
				t.Error("no apigw-requestid")
			}
			if got.status == 200 && got.header.Get("Vary") != "Origin" {
				t.Error("the function's other headers are gone")
			}
		})
	}
}
