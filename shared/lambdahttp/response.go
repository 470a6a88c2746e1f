package lambdahttp

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// MaxPayload is how large an answer may be, in bytes of its JSON (AWS Lambda,
// "gettingstarted-limits").
const MaxPayload = 6 << 20

// encode returns the body as the answer's event carries it, and whether that is base64.
// The gateway must not take compressed bytes for text, whatever they look like.
func encode(rec *recorder) (body string, binary bool) {
	body = rec.body.String()
	if utf8.ValidString(body) && rec.out.Get("Content-Encoding") == "" {
		return body, false
	}
	return base64.StdEncoding.EncodeToString([]byte(body)), true
}

// fits checks the answer against MaxPayload: over it, Lambda would drop it and tell
// nobody which answer it was.
func fits(h http.Header, body string) error {
	const frame = 256 // the event's own names and punctuation
	size := frame
	for name, values := range h {
		size += len(name) + 6
		for _, v := range values {
			size += jsonLength(v) + 3
		}
	}
	if size += jsonLength(body); size > MaxPayload {
		return fmt.Errorf("the answer would be %d bytes, over Lambda's limit of %d", size, MaxPayload)
	}
	return nil
}

// jsonLength returns how many bytes encoding/json makes of a text that is valid UTF-8,
// without the quotes.
func jsonLength(s string) int {
	const longest = 6 // \u0000
	if len(s) <= MaxPayload/longest/2 {
		return len(s) // it will fit, whatever it is: no need to look
	}
	n := len(s)
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t' || c == '\b' || c == '\f':
			n++
		case c < ' ':
			n += longest - 1
		}
	}
	return n + 3*(strings.Count(s, "\u2028")+strings.Count(s, "\u2029"))
}
