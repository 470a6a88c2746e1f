package queue

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// decode reads arguments. A member that Args does not know is left out: a newer
// process may have sent it.
func decode[Args any](payload []byte) (Args, error) {
	var args Args
	d := json.NewDecoder(bytes.NewReader(payload))
	if err := d.Decode(&args); err != nil {
		return args, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return args, errors.New("more than one JSON value")
	}
	return args, nil
}
