package gateway

import (
	"encoding/base64"
	"net/http"
	"strings"
	"unicode/utf8"
)

// A REST API takes for bytes what its BinaryMediaTypes name, and all else for text, in
// both directions ("api-gateway-payload-encodings-workflow"). An HTTP API looks at each
// body itself.

// takesBytes says whether bodies of the media type are bytes to a REST API.
func (a *api) takesBytes(mediaType string) bool {
	for _, binary := range a.Binary {
		if binary == mediaType || binary == "*/*" {
			return true
		}
		if kind, ok := strings.CutSuffix(binary, "/*"); ok && strings.HasPrefix(mediaType, kind+"/") { // (?)
			return true
		}
	}
	return false
}

// readAsText makes text of a request's body that is none.
func (c *call) readAsText(r *http.Request) {
	b := c.payload.bytes()
	if utf8.Valid(b) || c.api.takesBytes(mediaTypeOf(r.Header.Get("Content-Type"))) {
		return
	}
	text := asJSON(string(b))
	c.payload.buffer.Reset()
	c.payload.buffer.WriteString(text)
	c.payload.reader.Reset(c.payload.buffer.Bytes())
	r.ContentLength = int64(len(text))
}

// Encoded notes whether the function has put its answer in base64. A handler that does
// not say so is taken to do as ours: by what the answer is.
func (a *answer) Encoded(is bool) { a.encoding = &is }

// sendAsText sends the base64 of an answer as it is, unless the client accepts bytes of
// the API first of all.
func (c *call) sendAsText(method string) {
	if c.body == nil || method == http.MethodHead {
		return
	}
	b := c.body.Bytes()
	inBase64 := !utf8.Valid(b) || c.w.Header().Get("Content-Encoding") != ""
	if c.encoding != nil {
		inBase64 = *c.encoding
	}
	accepted, _, _ := strings.Cut(c.request.Header.Get("Accept"), ",")
	if !inBase64 || c.api.takesBytes(mediaTypeOf(accepted)) {
		return
	}
	c.sniff()
	text := base64.StdEncoding.EncodeToString(b)
	c.body.Reset()
	c.body.WriteString(text)
	c.size = len(text)
}
