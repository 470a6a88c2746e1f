package lambda

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// preludeType is what a streamed answer is called that begins with its status and
	// headers in JSON, then preludeEnd, then the body.
	preludeType = "application/vnd.awslambda.http-integration-response"
	preludeEnd  = "\x00\x00\x00\x00\x00\x00\x00\x00"
	maxPrelude  = 64 << 10
	// octets is the type of a streamed answer that names none ("urls-configuration") (?).
	octets = "application/octet-stream"
)

// stream sends an answer as it comes.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request, result Result) {
	defer func() { _ = result.Stream.Close() }() // the function goes on, if we leave early
	body := bufio.NewReader(result.Stream)
	answer := httpAnswer{status: http.StatusOK, headers: http.Header{"Content-Type": {orDefault(result.ContentType, octets)}}}
	if result.ContentType == preludeType {
		var err error
		if answer, err = readPrelude(body); err != nil {
			h.refuse(w, r, err)
			return
		}
	} else if _, err := body.Peek(1); err != nil && !errors.Is(err, io.EOF) {
		h.refuse(w, r, err) // it has failed before its first byte
		return
	}
	answer.endless = true
	answer.writeHead(w, r)
	if _, err := body.WriteTo(&flushing{w, http.NewResponseController(w)}); err != nil {
		if h.Log != nil && r.Context().Err() == nil {
			h.Log.ErrorContext(r.Context(), "the answer broke off", "error", err)
		}
		panic(http.ErrAbortHandler) // the head has gone out: the client must see that this is not all
	}
}

// readPrelude reads up to where the body begins.
func readPrelude(body *bufio.Reader) (httpAnswer, error) {
	var prelude []byte
	for !bytes.HasSuffix(prelude, []byte(preludeEnd)) {
		b, err := body.ReadByte()
		if err != nil {
			return httpAnswer{}, fmt.Errorf("the head of a streamed answer: %w", err)
		}
		if prelude = append(prelude, b); len(prelude) > maxPrelude {
			return httpAnswer{}, fmt.Errorf("%w: a head of more than %d bytes", errMalformed, maxPrelude)
		}
	}
	var o answerObject
	if err := json.Unmarshal(prelude[:len(prelude)-len(preludeEnd)], &o, lenient); err != nil {
		return httpAnswer{}, fmt.Errorf("%w: %w", errMalformed, err)
	}
	if missing(o.StatusCode) {
		o.StatusCode = jsontext.Value("200")
	}
	a, err := o.read("2.0")
	if a.headers["Content-Type"] == nil {
		a.headers["Content-Type"] = []string{octets}
	}
	return a, err
}

// flushing sends each part at once.
type flushing struct {
	w http.ResponseWriter
	c *http.ResponseController
}

func (f *flushing) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err == nil {
		err = f.c.Flush()
	}
	return n, err
}
