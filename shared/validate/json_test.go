package validate_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/validate"
)

// order is a schema with most of what a controller's has.
const order = `{
	"$schema": "http://json-schema.org/draft-07/schema#",
	"type": "object",
	"required": ["hello", "world"],
	"properties": {
		"hello": {"type": "string", "maxLength": 10},
		"world": {"type": "array", "minItems": 1, "items": {"$ref": "#/definitions/thing"}},
		"a/b~c": {"type": "boolean"},
		"small": {"type": "integer"},
		"when": {"type": "string"}
	},
	"definitions": {
		"thing": {
			"type": "object",
			"required": ["color"],
			"properties": {"color": {"type": "string"}, "size": {"type": "number", "minimum": 0}}
		}
	}
}`

type body struct {
	Hello string `json:"hello"`
	World []struct {
		Color string  `json:"color"`
		Size  float64 `json:"size"`
	} `json:"world"`
	Small int8 `json:"small"`
}

type problem struct {
	Status int                   `json:"status"`
	Detail string                `json:"detail"`
	Errors []httperror.Violation `json:"errors"`
}

func compile(t testing.TB, schema string) *validate.Schema {
	t.Helper()
	s, err := validate.Compile([]byte(schema))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// handler answers with what it was given.
func handler(t testing.TB, schema string, opts ...validate.Option) http.Handler {
	t.Helper()
	app := function.New(config.Config{LogLevel: 12}, io.Discard)
	return app.Handle(validate.JSON(compile(t, schema), func(w http.ResponseWriter, _ *http.Request, b body) error {
		_, err := fmt.Fprintf(w, "%+v", b)
		return err
	}, opts...))
}

func post(h http.Handler, body io.Reader, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/bar", body)
	r.Header = header
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func mediaType(values ...string) http.Header { return http.Header{"Content-Type": values} }

func decode(t testing.TB, w *httptest.ResponseRecorder) problem {
	t.Helper()
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("the answer is no problem document: %v: %.200s", err, w.Body)
	}
	return p
}

const good = `{"hello":"world","world":[{"color":"red","size":1.5},{"color":"blue"}]}`

func TestJSONAccepts(t *testing.T) {
	want := "{Hello:world World:[{Color:red Size:1.5} {Color:blue Size:0}] Small:0}"
	for _, c := range []struct {
		name   string
		body   string
		header http.Header
	}{
		{"a valid body", good, mediaType("application/json")},
		{"a charset", good, mediaType("application/json; charset=utf-8")},
		{"a charset in capitals, quoted", good, mediaType(`Application/JSON;Charset="UTF-8"`)},
		{"space around", "\r\n\t " + good + " \n", mediaType("application/json")},
		{"unknown members, which this schema allows", `{"more":{"x":[1]},` + good[1:], mediaType("application/json")},
		{"the identity coding", good, http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"identity"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := post(handler(t, order), strings.NewReader(c.body), c.header)
			if w.Code != 200 || w.Body.String() != want {
				t.Errorf("%d %s; want 200 %s", w.Code, w.Body, want)
			}
		})
	}
}

func TestJSONRefusesMediaTypes(t *testing.T) {
	for _, c := range []struct {
		name   string
		header http.Header
	}{
		{"none", http.Header{}},
		{"an empty one", mediaType("")},
		{"a form", mediaType("application/x-www-form-urlencoded")},
		{"text", mediaType("text/plain")},
		{"text that is JSON", mediaType("text/json")},
		{"a type that is built on JSON", mediaType("application/problem+json")},
		{"a type that begins alike", mediaType("application/jsonp")},
		{"another charset", mediaType("application/json; charset=iso-8859-1")},
		{"a broken parameter", mediaType("application/json; charset")},
		{"two headers", mediaType("application/json", "application/json")},
		{"two, as a gateway joins them", mediaType("application/json, application/json")},
		{"compressed", http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := post(handler(t, order), strings.NewReader(good), c.header)
			if p := decode(t, w); w.Code != 415 || p.Detail == "" {
				t.Errorf("%d %s; want 415 with a detail", w.Code, w.Body)
			}
			if got := w.Header().Get("Accept"); got != "application/json" {
				t.Errorf("Accept %q; want application/json", got)
			}
		})
	}
}

func TestJSONRefusesWhatIsNotJSON(t *testing.T) {
	for _, c := range []struct {
		name, body, detail string
	}{
		{"an empty body", "", "the body is empty: send a JSON document"},
		{"space alone", " \n ", "line 2, column 2: the document ends too early"},
		{"cut off", `{"hello":"wor`, "line 1, column 14: the document ends too early"},
		{"a missing comma", "{\"hello\":\"w\"\n \"world\":[]}", "line 2, column 2: invalid character '\"' after object value (expecting ',' or '}')"},
		{"after characters of many bytes", `{"hello":"äöü",}`, `line 1, column 15: `},
		{"a comment", "{} // hi", "line 1, column 4: "},
		{"single quotes", "{'hello':1}", "line 1, column 2: "},
		{"no JSON at all", "hello=world", "line 1, column 1: "},
		{"not a number", `{"hello":NaN}`, "line 1, column 10: "},
		{"a leading zero", `{"small":01}`, "line 1, column 11: "},
		{"trailing garbage", good + "\nx", "line 2, column 1: there is more after the JSON document"},
		{"a second document", good + good, "line 1, column 72: there is more after the JSON document"},
		{"a closing bracket too many", good + "}", "line 1, column 72: there is more after the JSON document"},
		{"a name twice", `{"hello":"a","hello":"b","world":[]}`, "line 1, column 14: a name stands twice in one object"},
		{"a name twice, once escaped", `{"hello":"a","h\u0065llo":"b","world":[]}`, "line 1, column 14: a name stands twice in one object"},
		{"a name twice, where the schema does not look", `{"x":{"y":1,"y":2},"hello":"a","world":[{"color":"b"}]}`, "line 1, column 13: a name stands twice in one object"},
		{"bytes that are not UTF-8", "{\"hello\":\"a\xff\"}", "line 1, column 12: invalid UTF-8"},
		{"half a surrogate pair", `{"hello":"\ud800"}`, "line 1, column 11: "},
		{"a byte order mark", "\ufeff" + good, "line 1, column 1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := post(handler(t, order), strings.NewReader(c.body), mediaType("application/json"))
			p := decode(t, w)
			if w.Code != 400 || !strings.Contains(p.Detail, c.detail) {
				t.Errorf("%d %q; want 400 %q", w.Code, p.Detail, c.detail)
			}
			if len(p.Detail) > 200 {
				t.Errorf("a detail of %d bytes: %.300s", len(p.Detail), p.Detail)
			}
		})
	}
}

// An empty body is an empty body, whatever its media type.
func TestJSONEmptyBodyWithoutAMediaType(t *testing.T) {
	if w := post(handler(t, order), http.NoBody, http.Header{}); w.Code != 400 {
		t.Errorf("%d %s; want 400", w.Code, w.Body)
	}
}

// counter counts what is read of it, and hides its length.
type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func TestJSONLimit(t *testing.T) {
	padded := func(length int) string { return good + strings.Repeat(" ", length-len(good)) }
	for _, c := range []struct {
		name   string
		length int
		opts   []validate.Option
		want   int
	}{
		{"at the default limit", validate.DefaultLimit, nil, 200},
		{"one byte over", validate.DefaultLimit + 1, nil, 413},
		{"far over", 10 * validate.DefaultLimit, nil, 413},
		{"at a limit of its own", 100, []validate.Option{validate.Limit(100)}, 200},
		{"over a limit of its own", 101, []validate.Option{validate.Limit(100)}, 413},
		{"under a higher limit", 2 * validate.DefaultLimit, []validate.Option{validate.Limit(3 << 20)}, 200},
	} {
		limit := validate.DefaultLimit
		if c.opts != nil {
			limit = 3 << 20
		}
		t.Run(c.name+", length announced", func(t *testing.T) {
			w := post(handler(t, order, c.opts...), strings.NewReader(padded(c.length)), mediaType("application/json"))
			if w.Code != c.want {
				t.Errorf("%d %.200s; want %d", w.Code, w.Body, c.want)
			}
		})
		t.Run(c.name+", length unknown", func(t *testing.T) {
			sent := &counter{r: strings.NewReader(padded(c.length))}
			w := post(handler(t, order, c.opts...), sent, mediaType("application/json"))
			if w.Code != c.want {
				t.Errorf("%d %.200s; want %d", w.Code, w.Body, c.want)
			}
			if sent.n > limit+1 {
				t.Errorf("read %d bytes of a body over the limit", sent.n)
			}
		})
	}
}

func TestJSONNamesEveryViolation(t *testing.T) {
	at := func(pointer, message string) httperror.Violation {
		return httperror.Violation{Pointer: pointer, Message: message}
	}
	for _, c := range []struct {
		name, body string
		want       []httperror.Violation
	}{
		{"another type at the root", `[]`, []httperror.Violation{at("", "must be an object, not an array")}},
		{"null", `null`, []httperror.Violation{at("", "must be an object, not null")}},
		{"nothing that is required", `{}`, []httperror.Violation{at("/hello", "is required"), at("/world", "is required")}},
		{"required in an item", `{"hello":"w","world":[{"color":"red"},{"size":1}]}`, []httperror.Violation{at("/world/1/color", "is required")}},
		{"too few", `{"hello":"w","world":[]}`, []httperror.Violation{at("/world", "must have at least 1 item")}},
		{"many at once, in order", `{"hello":7,"world":[{"color":1},{"color":"a","size":-1},3,{},5,6,7,8,9,10,"x"],"a/b~c":0}`, []httperror.Violation{
			at("/a~1b~0c", "must be a boolean, not an integer"),
			at("/hello", "must be a string, not an integer"),
			at("/world/0/color", "must be a string, not an integer"),
			at("/world/1/size", "must be at least 0"),
			at("/world/2", "must be an object, not an integer"),
			at("/world/3/color", "is required"),
			at("/world/4", "must be an object, not an integer"),
			at("/world/5", "must be an object, not an integer"),
			at("/world/6", "must be an object, not an integer"),
			at("/world/7", "must be an object, not an integer"),
			at("/world/8", "must be an object, not an integer"),
			at("/world/9", "must be an object, not an integer"),
			at("/world/10", "must be an object, not a string"),
		}},
		{"the values are not sent back", `{"hello":"` + strings.Repeat("secret", 1000) + `","world":[{"color":"a"}]}`, []httperror.Violation{at("/hello", "must have at most 10 characters")}},
		{"names in other case are other names", `{"HELLO":"a","World":[{"color":"red"}]}`, []httperror.Violation{at("/hello", "is required"), at("/world", "is required")}},
		{"over the Go type", `{"hello":"a","world":[{"color":"b"}],"small":1000}`, []httperror.Violation{at("/small", "is a number out of range")}},
		{"an integer to the schema, not to Go", `{"hello":"a","world":[{"color":"b"}],"small":1.0}`, []httperror.Violation{at("/small", "must be a whole number in range")}},
		{"a number that no float holds", `{"hello":"a","world":[{"color":"b","size":1e309}]}`, []httperror.Violation{at("/world/0/size", "is a number out of range")}},
		{"a number that would take all the memory", `{"hello":"a","world":[{"color":"b","size":1e999999999}]}`, []httperror.Violation{at("/world/0/size", "is a number out of range")}},
		{"a number with an exponent over any int", `{"hello":"a","world":[{"color":"b","size":1e-99999999999999999999}]}`, []httperror.Violation{at("/world/0/size", "is a number out of range")}},
		{"a number of a million digits", `{"hello":"a","world":[{"color":"b","size":` + strings.Repeat("9", 1_000_000) + `}]}`, []httperror.Violation{at("/world/0/size", "is a number out of range")}},
		{"such a number where the schema does not look", `{"more/~":[0,1E+401],"hello":"a","world":[{"color":"b"}]}`, []httperror.Violation{at("/more~1~0/1", "is a number out of range")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := post(handler(t, order), strings.NewReader(c.body), mediaType("application/json"))
			p := decode(t, w)
			if w.Code != 422 || p.Detail != "the body does not have the required form" {
				t.Errorf("%d %q; want 422", w.Code, p.Detail)
			}
			if !slices.Equal(p.Errors, c.want) {
				t.Errorf("violations %+v\nwant %+v", p.Errors, c.want)
			}
		})
	}
}

// The schema looks at "world", and so must the decoder. encoding/json would have put
// WORLD, which came last, into the field.
func TestJSONDecodesWhatTheSchemaSaw(t *testing.T) {
	w := post(handler(t, order), strings.NewReader(`{"hello":"w","world":[{"color":"red"}],"WORLD":[],"Hello":"other"}`), mediaType("application/json"))
	if want := "{Hello:w World:[{Color:red Size:0}] Small:0}"; w.Code != 200 || w.Body.String() != want {
		t.Errorf("%d %s; want %s", w.Code, w.Body, want)
	}
}

func TestJSONCapsTheViolations(t *testing.T) {
	w := post(handler(t, order), strings.NewReader(`{"hello":"w","world":[`+strings.Repeat("0,", 4999)+`0]}`), mediaType("application/json"))
	p := decode(t, w)
	if w.Code != 422 || len(p.Errors) != 100 || !strings.Contains(p.Detail, "first 100") {
		t.Errorf("%d, %d violations, %q; want 422, 100, and to be told", w.Code, len(p.Errors), p.Detail)
	}
	if last := p.Errors[99].Pointer; last != "/world/99" {
		t.Errorf("the last is %s; want the first 100 in order", last)
	}
}

func TestJSONCapsThePointers(t *testing.T) {
	const free = `{"additionalProperties": {"additionalProperties": {"type": "string"}}}`
	name := strings.Repeat("n", 5000)
	w := post(handler(t, free), strings.NewReader(`{"a":{"`+name+`":1}}`), mediaType("application/json"))
	want := []httperror.Violation{{Pointer: "/a", Message: "a value inside must be a string, not an integer"}}
	if p := decode(t, w); !slices.Equal(p.Errors, want) {
		t.Errorf("violations %.500v; want %v", p.Errors, want)
	}
}

// Without a bound, each of these would make the check keep hundreds of megabytes.
func TestJSONRefusesDocumentsThatCostTooMuch(t *testing.T) {
	const recursive = `{"type":["object","array"],"additionalProperties":{"$ref":"#"},"items":{"$ref":"#"},"required":["x"]}`
	for _, c := range []struct{ name, body string }{
		{"nothing but values", "[" + strings.Repeat("0,", 500_000) + "0]"},
		{"a long name above many values", `{"` + strings.Repeat("n", 400_000) + `":[` + strings.Repeat("0,", 200_000) + "0]}"},
		{"brackets without end", strings.Repeat("[", 20_000)},
		{"values very deep", strings.Repeat(`{"a":`, 9000) + "0" + strings.Repeat("}", 9000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := post(handler(t, recursive), strings.NewReader(c.body), mediaType("application/json"))
			if p := decode(t, w); w.Code != 413 || !strings.Contains(p.Detail, "values") {
				t.Errorf("%d %q; want 413", w.Code, p.Detail)
			}
		})
	}
	t.Run("a megabyte of small objects passes", func(t *testing.T) {
		item := `{"color":"red"},`
		n := (validate.DefaultLimit - 100) / len(item)
		text := `{"hello":"w","world":[` + strings.TrimSuffix(strings.Repeat(item, n), ",") + `]}`
		if w := post(handler(t, order), strings.NewReader(text), mediaType("application/json")); w.Code != 200 {
			t.Errorf("%d %.200s; want 200", w.Code, w.Body)
		}
	})
}

func TestJSONOnViolation(t *testing.T) {
	h := handler(t, order, validate.OnViolation(func(w http.ResponseWriter, _ *http.Request, violations []httperror.Violation) error {
		return function.JSON(w, http.StatusTeapot, map[string]any{"first": violations[0].Pointer, "count": len(violations)})
	}))
	for _, c := range []struct {
		name, body string
		status     int
		answer     string
	}{
		{"a violation", `{}`, http.StatusTeapot, `{"count":2,"first":"/hello"}`},
		{"what Go cannot hold", `{"hello":"a","world":[{"color":"b"}],"small":1000}`, http.StatusTeapot, `{"count":1,"first":"/small"}`},
		{"no JSON: not for the controller", `{`, 400, ""},
		{"a valid body", good, 200, ""},
	} {
		w := post(h, strings.NewReader(c.body), mediaType("application/json"))
		if w.Code != c.status || (c.answer != "" && w.Body.String() != c.answer) {
			t.Errorf("%s: %d %s; want %d %s", c.name, w.Code, w.Body, c.status, c.answer)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestJSONBodyThatBreaksOff(t *testing.T) {
	w := post(handler(t, order), broken{}, mediaType("application/json"))
	if p := decode(t, w); w.Code != 400 || p.Detail != "the body could not be read to its end" {
		t.Errorf("%d %s; want 400", w.Code, w.Body)
	}
}

func BenchmarkJSON(b *testing.B) {
	for _, c := range []struct{ name, body string }{
		{"valid", good},
		{"invalid", `{"hello":7,"world":[{"color":1},{"color":"a","size":-1}]}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := handler(b, order)
			header := mediaType("application/json")
			b.ReportAllocs()
			for b.Loop() {
				post(h, strings.NewReader(c.body), header)
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		compile(b, order)
	}
}

func TestOtherMediaTypes(t *testing.T) {
	h := handler(t, order, validate.MediaTypes("application/merge-patch+json", "application/json"))
	for kind, want := range map[string]int{
		"application/merge-patch+json": 200, "application/json; charset=utf-8": 200, "application/json-patch+json": 415, "text/plain": 415,
	} {
		w := post(h, strings.NewReader(good), mediaType(kind))
		if w.Code != want {
			t.Errorf("%s: %d %s, want %d", kind, w.Code, w.Body, want)
		}
		if accept := w.Header().Get("Accept"); want == 415 && accept != "application/merge-patch+json, application/json" {
			t.Errorf("%s: Accept %q", kind, accept)
		}
	}
}
