package gateway

import (
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"unicode/utf8"
)

// surePayload is a body that fits whatever it holds: JSON makes six bytes of one at
// most, and the rest of an event is bound by maxHead.
const surePayload = (MaxPayload - 512<<10) / 6

// eventSize is the size of the request's event, for a body that may be too large.
func (c *call) eventSize(r *http.Request) int {
	event, err := Event(r)
	if err != nil {
		return math.MaxInt
	}
	return len(event)
}

// unfit says why the function's answer is none, "" if it is one.
func (c *call) unfit(method string) string {
	if c.declared >= 0 && c.size != c.declared && bodied(c.status) && method != http.MethodHead {
		return fmt.Sprintf("Content-Length is %d, and not what the function has written", c.declared)
	}
	if c.size <= surePayload {
		return ""
	}
	if size := c.answerSize(); size > MaxPayload {
		return fmt.Sprintf("it has %d bytes as JSON, and Lambda's limit is %d", size, MaxPayload)
	}
	return ""
}

// answerSize is the size of the answer's JSON, near to the byte, as package lambdahttp
// makes it: in base64 where it is no text, or compressed.
func (c *call) answerSize() int {
	if c.body == nil {
		return c.size
	}
	size := 256 // the names and the punctuation
	for name, values := range c.w.Header() {
		size += len(name) + 6
		for _, v := range values {
			size += len(v) + 3
		}
	}
	b := c.body.Bytes()
	if !utf8.Valid(b) || c.w.Header().Get("Content-Encoding") != "" {
		return size + base64.StdEncoding.EncodedLen(len(b))
	}
	for _, r := range string(b) {
		size += written(r)
	}
	return size
}

// written is how many bytes encoding/json makes of a character, HTML left alone.
func written(r rune) int {
	switch {
	case r == '"', r == '\\', r == '\n', r == '\r', r == '\t', r == '\b', r == '\f':
		return 2
	case r < ' ', r == '\u2028', r == '\u2029':
		return 6
	}
	return utf8.RuneLen(r)
}
