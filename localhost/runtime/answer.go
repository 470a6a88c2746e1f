package lambda

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// httpAnswer is an HTTP answer as a function puts it in JSON.
type httpAnswer struct {
	status  int
	headers http.Header
	body    string
	encoded bool // the body came in base64
	endless bool // the body comes later, of unknown length
}

// answerObject is an answer in its two payload formats. The values are read later,
// since an object without a status is not an answer of this kind at all.
type answerObject struct {
	StatusCode        jsontext.Value `json:"statusCode"`
	Headers           jsontext.Value `json:"headers"`
	MultiValueHeaders jsontext.Value `json:"multiValueHeaders"` // 1.0 only
	Cookies           jsontext.Value `json:"cookies"`           // 2.0 only
	Body              jsontext.Value `json:"body"`
	IsBase64Encoded   jsontext.Value `json:"isBase64Encoded"`
}

var errMalformed = errors.New("malformed answer")

// lenient reads JSON as JavaScript does: the last of equal names counts.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// formatOf finds an event's member "version", which an HTTP API's events begin with. A
// REST API's have none, and a method instead. Other events are taken for 2.0.
func formatOf(event []byte) string {
	d := jsontext.NewDecoder(bytes.NewReader(event), lenient)
	if t, err := d.ReadToken(); err != nil || t.Kind() != jsontext.KindBeginObject {
		return "2.0"
	}
	for d.PeekKind() == jsontext.KindString {
		name, err := d.ReadToken()
		if err != nil {
			break
		}
		if name.String() == "httpMethod" {
			return "1.0"
		}
		if name.String() != "version" {
			if d.SkipValue() != nil {
				break
			}
			continue
		}
		if v, err := d.ReadToken(); err == nil && v.Kind() == jsontext.KindString {
			return v.String()
		}
		break
	}
	return "2.0"
}

// readAnswer reads what a function has answered to an event of the payload format
// "1.0" or "2.0" (AWS docs "http-api-develop-integrations-lambda").
func readAnswer(payload []byte, format string) (httpAnswer, error) {
	value := jsontext.Value(payload)
	if value.Kind() != jsontext.KindBeginObject {
		if format == "1.0" || !value.IsValid(lenient) {
			return httpAnswer{}, fmt.Errorf("%w: not an object", errMalformed)
		}
		return wholeValue(payload), nil
	}
	var o answerObject
	if err := json.Unmarshal(payload, &o, lenient); err != nil {
		return httpAnswer{}, fmt.Errorf("%w: %w", errMalformed, err)
	}
	if missing(o.StatusCode) {
		if format == "1.0" {
			return httpAnswer{}, fmt.Errorf("%w: no statusCode", errMalformed)
		}
		return wholeValue(payload), nil
	}
	a, err := o.read(format)
	if err != nil {
		return httpAnswer{}, fmt.Errorf("%w: %w", errMalformed, err)
	}
	return a, nil
}

// wholeValue is how an answer without a status is understood in format 2.0.
func wholeValue(payload []byte) httpAnswer {
	return httpAnswer{status: http.StatusOK, headers: http.Header{"Content-Type": {"application/json"}}, body: string(payload)}
}

func (o answerObject) read(format string) (httpAnswer, error) {
	a := httpAnswer{headers: http.Header{}}
	var err error
	if a.status, err = readStatus(o.StatusCode); err != nil {
		return a, err
	}
	if err := o.readHeaders(a.headers, format); err != nil {
		return a, err
	}
	if a.body, a.encoded, err = o.readBody(); err != nil {
		return a, err
	}
	if bodiless(a.status) {
		a.body = ""
	}
	if a.body != "" && a.headers["Content-Type"] == nil {
		a.headers["Content-Type"] = []string{"text/plain;charset=UTF-8"} // (?)
	}
	return a, nil
}

// readStatus takes a number, or the digits of one (?).
func readStatus(v jsontext.Value) (int, error) {
	text, err := scalar(v)
	if err != nil {
		return 0, fmt.Errorf("statusCode: %w", err)
	}
	status, err := strconv.Atoi(text)
	if err != nil || status < 200 || status > 599 {
		return 0, fmt.Errorf("statusCode: %s is no status of an answer", text)
	}
	return status, nil
}

func (o answerObject) readHeaders(to http.Header, format string) error {
	var single map[string]jsontext.Value
	if err := read(o.Headers, &single); err != nil {
		return fmt.Errorf("headers: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(single)) { // of two cases of a name, always the same one counts
		v := single[name]
		text, err := scalar(v)
		if err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
		to[textproto.CanonicalMIMEHeaderKey(name)] = []string{text}
	}
	if format == "2.0" {
		var cookies []string
		if err := read(o.Cookies, &cookies); err != nil {
			return fmt.Errorf("cookies: %w", err)
		}
		if len(cookies) > 0 {
			to["Set-Cookie"] = append(to["Set-Cookie"], cookies...)
		}
		return nil
	}
	var multi map[string][]jsontext.Value
	if err := read(o.MultiValueHeaders, &multi); err != nil {
		return fmt.Errorf("multiValueHeaders: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(multi)) {
		values := multi[name]
		all := make([]string, len(values))
		for i, v := range values {
			var err error
			if all[i], err = scalar(v); err != nil {
				return fmt.Errorf("header %s: %w", name, err)
			}
		}
		// Where a header stands in both, this one counts.
		to[textproto.CanonicalMIMEHeaderKey(name)] = all
	}
	return nil
}

func (o answerObject) readBody() (body string, encoded bool, err error) {
	if missing(o.Body) {
		return "", false, nil
	}
	if err := read(o.Body, &body); err != nil {
		return "", false, fmt.Errorf("body: %w", err)
	}
	if err := read(o.IsBase64Encoded, &encoded); err != nil {
		return "", false, fmt.Errorf("isBase64Encoded: %w", err)
	}
	if !encoded {
		return body, false, nil
	}
	decoded, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		return "", false, fmt.Errorf("body: %w", err)
	}
	return string(decoded), true, nil
}

// read reads a value, and leaves to as it is where there is none.
func read(v jsontext.Value, to any) error {
	if missing(v) {
		return nil
	}
	return json.Unmarshal(v, to, lenient)
}

// bodiless are the statuses of answers that have no body (RFC 9110, section 6.4.1).
func bodiless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusNotModified
}

func missing(v jsontext.Value) bool { return len(v) == 0 || v.Kind() == jsontext.KindNull }

// scalar reads a string, a number or a truth value as text.
func scalar(v jsontext.Value) (string, error) {
	switch v.Kind() {
	case jsontext.KindString:
		var text string
		return text, json.Unmarshal(v, &text, lenient)
	case jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse:
		return string(v), nil
	default:
		return "", fmt.Errorf("%s is neither text nor number", v)
	}
}
