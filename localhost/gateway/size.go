package gateway

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"unicode/utf8"
)

// surePayload is a body that fits whatever it holds: JSON writes a byte in six at
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

// answerSize is the size that the answer would have as JSON.
func (c *call) answerSize() int {
	b := c.answer.body.Bytes()
	head, _ := json.Marshal(struct {
		Status  int         `json:"statusCode"`
		Headers http.Header `json:"headers"`
	}{c.status, c.answer.header})
	const rest = len(`,"body":"","isBase64Encoded":false`)
	if !utf8.Valid(b) {
		return len(head) + rest + base64.StdEncoding.EncodedLen(len(b))
	}
	size := len(head) + rest
	for _, r := range string(b) {
		size += written(r)
	}
	return size
}

// written is how many bytes encoding/json writes for a character.
func written(r rune) int {
	switch {
	case r == '"', r == '\\', r == '\n', r == '\r', r == '\t', r == '\b', r == '\f':
		return 2
	case r < ' ', r == '<', r == '>', r == '&', r == '\u2028', r == '\u2029':
		return 6
	}
	return utf8.RuneLen(r)
}
