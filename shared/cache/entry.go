package cache

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// head is the first line of an entry in Redis; the body follows as it is.
type head struct {
	Status int         `json:"status"`
	Header http.Header `json:"header,omitempty"`
	Stored int64       `json:"stored"` // Unix milliseconds
	Length int         `json:"length"` // of the body, in bytes
}

func encode(a *answer, now time.Time) ([]byte, error) {
	line, err := json.Marshal(head{a.status, a.header, now.UnixMilli(), len(a.body)})
	if err != nil {
		return nil, err
	}
	return append(append(line, '\n'), a.body...), nil
}

// decode refuses whatever encode would not have written, since to serve it could
// panic or mislead.
func decode(entry []byte) (*answer, error) {
	line, body, found := bytes.Cut(entry, []byte("\n"))
	if !found {
		return nil, errors.New("it has no first line")
	}
	var h head
	if err := json.Unmarshal(line, &h); err != nil {
		return nil, err
	}
	switch {
	case h.Status < 200 || h.Status > 599:
		return nil, fmt.Errorf("it has the status %d", h.Status)
	case h.Length != len(body):
		return nil, fmt.Errorf("its body has %d bytes instead of %d", len(body), h.Length)
	case h.Stored <= 0:
		return nil, errors.New("it has no time")
	}
	return &answer{status: h.Status, header: h.Header, body: body, stored: time.UnixMilli(h.Stored)}, nil
}
