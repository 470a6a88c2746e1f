package report_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/logging"
	"github.com/tandem-api/tandem/shared/report"
)

// Every case hides the same secret in another place; none of them may be sent, and
// what is told beside it must be.
func TestSecretsAreNotSent(t *testing.T) {
	const secret = "hunter2-S3cr3t"
	type login struct {
		User     string
		Password string
		Keys     map[string]config.Secret `json:"keys"`
	}
	get := func(target string) *http.Request { return httptest.NewRequest("GET", target, nil) }
	with := func(name, value string) *http.Request {
		r := get("/kept")
		r.Header.Set(name, value)
		return r
	}
	form := get("/kept")
	form.Form = url.Values{"user[password]": {secret}, "color": {"kept"}}
	data := func(v any) []report.Extra {
		return []report.Extra{report.Data(map[string]any{"kept": "kept", "value": v})}
	}
	request := func(r *http.Request) []report.Extra { return []report.Extra{report.Request(r)} }

	for name, c := range map[string]struct {
		message string
		extras  []report.Extra
	}{
		"the Authorization header":    {"", request(with("Authorization", "Basic "+secret))},
		"a Bearer token":              {"", request(with("Authorization", "Bearer "+secret))},
		"the Proxy-Authorization":     {"", request(with("Proxy-Authorization", secret))},
		"the Cookie header":           {"", request(with("Cookie", "a="+secret))},
		"a Set-Cookie header":         {"", request(with("Set-Cookie", "a="+secret))},
		"the X-Api-Key header":        {"", request(with("X-Api-Key", secret))},
		"a header of the cloud":       {"", request(with("X-Amz-Security-Token", secret))},
		"a query in the Referer":      {"", request(with("Referer", "https://a.b/reset?token="+secret))},
		"the query":                   {"", request(get("/kept?password=" + secret + "&a=b"))},
		"the query, in capitals":      {"", request(get("/kept?API_KEY=" + secret + "&a=b"))},
		"the query, encoded":          {"", request(get("/kept?user%5Bpass%77ord%5D=" + secret))},
		"a URL in the query":          {"", request(get("/kept?next=" + url.QueryEscape("https://u:"+secret+"@h/")))},
		"the path":                    {"", request(get("/kept/https://u:" + secret + "@h/"))},
		"the form":                    {"", request(form)},
		"the message's URL":           {"dial postgres://u:" + secret + "@kept/db", nil},
		"the message's URL, unquoted": {"dial postgres://u:p/" + secret + "@kept/db", nil},
		"the message's pair":          {"kept password=" + secret, nil},
		"the message's JSON":          {`kept {"access_key": "` + secret + `"}`, nil},
		"a map":                       {"", data(map[string]any{"Password": secret})},
		"a map in a list in a map":    {"", data(map[string]any{"a": []any{map[string]any{"x": map[string]string{"apiKey": secret}}}})},
		"a struct":                    {"", data(login{User: "kept", Password: secret})},
		"a pointer to a struct":       {"", data(&login{Keys: map[string]config.Secret{"x": secret}})},
		"headers":                     {"", data(http.Header{"Cookie": {secret}})},
		"a config.Secret":             {"", data(config.Secret(secret))},
		"a list of them":              {"", data([]config.Secret{secret})},
		"a text in the data":          {"", data("redis://:" + secret + "@host")},
		"bytes of JSON":               {"", data([]byte(`{"token":"` + secret + `"}`))},
		"an error in the data":        {"", data(errors.New("token=" + secret))},
		"a log value":                 {"", data(slog.GroupValue(slog.String("token", secret)))},
		"a key of the data":           {"", []report.Extra{report.Data(map[string]any{"kept": 1, "session": secret})}},
		"a tag":                       {"", []report.Extra{report.Tags("kept", "token="+secret)}},
		"a class":                     {"kept", []report.Extra{report.Class("token=" + secret)}},
		"a setting's value anywhere":  {"kept the-very-setting kept", data(map[string]any{"a": "xthe-very-settingx"})},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHoneybadger(t, http.StatusCreated, nil)
			r := report.New(report.Options{
				APIKey: apiKey, Endpoint: h.url, Sync: true, Timeout: 5 * time.Second, Secrets: []config.Secret{"the-very-setting", "a", ""},
			})
			ctx := logging.With(t.Context(), slog.Any("settings", config.Secret(secret)), slog.String("sessionId", secret))
			if c.message == "" {
				c.message = "oh"
			}
			r.Notify(ctx, fmt.Errorf("wrapped: %w", errors.New(c.message)), c.extras...)
			_, raw := h.only(t)
			if strings.Contains(raw, secret) || strings.Contains(raw, "the-very-setting") {
				t.Errorf("the secret was sent: %s", raw)
			}
			if !strings.Contains(raw, "[hidden]") || !strings.Contains(raw, "kept") {
				t.Errorf("too little was sent: %s", raw)
			}
		})
	}
}

func TestWhatIsNoSecretIsSentAsItWas(t *testing.T) {
	h := newHoneybadger(t, http.StatusCreated, nil)
	request := httptest.NewRequest("GET", "https://api.example/v1/a%2Fb?b=2&a=1&a=%20", nil)
	request.Header.Set("User-Agent", "curl/8")
	newSync(h, &lines{}).Notify(t.Context(), errors.New("oh"), report.Request(request), report.Data(map[string]any{
		"text": "kept", "int": -1, "uint": uint8(1), "float": 1.5, "nan": math.NaN(), "bool": true, "nil": nil,
		"time": time.Date(2026, 11, 23, 11, 15, 0, 0, time.UTC), "duration": time.Second, "error": errors.New("inner"),
		"list": []string{"a"}, "struct": struct{ A int }{1}, "func": func() {}, "panics": panicsAsJSON{},
	}))
	n, _ := h.only(t)
	if n.Request.URL != "https://api.example/v1/a%2Fb?b=2&a=1&a=%20" || n.Request.CGIData["HTTP_USER_AGENT"] != "curl/8" {
		t.Errorf("url %q, cgi %v", n.Request.URL, n.Request.CGIData)
	}
	if want := map[string][]string{"a": {"1", " "}, "b": {"2"}}; !reflect.DeepEqual(n.Request.Params, want) {
		t.Errorf("params %v, want %v", n.Request.Params, want)
	}
	want := map[string]any{
		"text": "kept", "int": -1.0, "uint": 1.0, "float": 1.5, "nan": "[float64]", "bool": true, "nil": nil,
		"time": "2026-11-23T11:15:00Z", "duration": "1s", "error": "inner",
		"list": []any{"a"}, "struct": map[string]any{"A": 1.0}, "func": "[func()]", "panics": "[report_test.panicsAsJSON]",
	}
	if !reflect.DeepEqual(n.Request.Context, want) {
		t.Errorf("context\n got %v\nwant %v", n.Request.Context, want)
	}
}

type panicsAsJSON struct{}

func (panicsAsJSON) MarshalJSON() ([]byte, error) { panic("no") }

func TestTheBodyIsNotRead(t *testing.T) {
	h := newHoneybadger(t, http.StatusCreated, nil)
	body := strings.NewReader("a=b")
	request := httptest.NewRequest("POST", "/x?q=1", body)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	newSync(h, &lines{}).Notify(t.Context(), errors.New("oh"), report.Request(request))
	if body.Len() != 3 || request.Form != nil {
		t.Error("reporting a request has read its body")
	}
}

func TestANoticeIsBounded(t *testing.T) {
	const limit = 64 << 10
	long := strings.Repeat("x", 1<<20)
	worst := strings.Repeat("\x00\xff<", 1<<18) // each takes six bytes in JSON
	many := map[string]any{}
	header := http.Header{}
	query := url.Values{}
	for i := range 5000 {
		many[fmt.Sprint("key", i)] = worst[:1000]
		header.Set(fmt.Sprint("X-", i), worst[:1000])
		query.Set(fmt.Sprint(i), worst[:100])
	}
	var deep any = "bottom"
	for range 5000 {
		deep = map[string]any{"x": []any{deep}}
	}
	cycle := map[string]any{}
	cycle["x"] = cycle
	requestOf := func(h http.Header, q string) report.Extra {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header, r.URL.RawQuery = h, q
		return report.Request(r)
	}
	for name, c := range map[string]struct {
		message string
		extras  []report.Extra
	}{
		"a long message":     {long, nil},
		"the worst message":  {worst, nil},
		"a long value":       {"oh", []report.Extra{report.Data(map[string]any{"a": long})}},
		"a long key":         {"oh", []report.Extra{report.Data(map[string]any{long: 1, worst: 2})}},
		"many values":        {"oh", []report.Extra{report.Data(many)}},
		"a long list":        {"oh", []report.Extra{report.Data(map[string]any{"a": make([]int, 1e5)})}},
		"maps within maps":   {"oh", []report.Extra{report.Data(map[string]any{"a": many, "b": many, "c": deep})}},
		"a map in itself":    {"oh", []report.Extra{report.Data(cycle)}},
		"a book of digits":   {"oh", []report.Extra{report.Data(map[string]any{"a": jsonDigits(1 << 20)})}},
		"many headers":       {"oh", []report.Extra{requestOf(header, "")}},
		"many parameters":    {"oh", []report.Extra{requestOf(nil, query.Encode())}},
		"a long parameter":   {"oh", []report.Extra{requestOf(nil, "a="+long)}},
		"many tags":          {"oh", []report.Extra{report.Tags(strings.Split(long[:10000], "")...), report.Tags(long)}},
		"a long class":       {"oh", []report.Extra{report.Class(worst)}},
		"all of it together": {worst, []report.Extra{report.Data(many), requestOf(header, query.Encode()), report.Class(worst), report.Tags(worst)}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHoneybadger(t, http.StatusCreated, nil)
			newSync(h, &lines{}).Notify(inRequest(t), fmt.Errorf("wrapped: %w", errors.New(c.message)), c.extras...)
			n, raw := h.only(t)
			if len(raw) > limit {
				t.Errorf("the notice has %d bytes, the limit is %d", len(raw), limit)
			}
			if n.Request.Context["requestId"] != "req-1" {
				t.Error("the request's id fell out")
			}
		})
	}
}

type jsonDigits int

func (n jsonDigits) MarshalJSON() ([]byte, error) { return []byte(strings.Repeat("1", int(n))), nil }
