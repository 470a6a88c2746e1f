package fidelity

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Request is a request as it goes over the wire, which no HTTP client has put in order.
type Request struct {
	// Head is the request line, the version left out, and the headers, a line each. A
	// Host, and what says how long the body is, are added where they are missing; and
	// "Connection: close".
	Head string `yaml:"request"`

	Body   string `yaml:"body"`
	Base64 string `yaml:"base64"` // the body, where it is no text
	Repeat *struct {
		Text  string `yaml:"text"`
		Times int    `yaml:"times"`
	} `yaml:"repeat"` // the body, where it is long
	// Pad makes the head that long, in bytes, by a header.
	Pad int `yaml:"pad"`

	Chunked int           `yaml:"chunked"` // the size of the chunks; 0: none
	Pause   time.Duration `yaml:"pause"`   // between the chunks, or the halves of head and body
	// Token is signed when the case is asked, and put where the head says {token}.
	Token *Token `yaml:"token"`

	// Times asks so many times at once; Want.Statuses counts the answers. With Serial,
	// one after the other.
	Times  int  `yaml:"times"`
	Serial bool `yaml:"serial"`
}

// Token is a JWT. What it does not say is that of a good one.
type Token struct {
	Claims map[string]any `yaml:"claims"` // null takes one away
	Alg    string         `yaml:"alg"`
	Kid    string         `yaml:"kid"`
	Key    string         `yaml:"key"` // which signs; the issuer publishes "one" and "two", and no other
}

// With puts the signed token in its place.
func (r Request) With(token string) Request {
	r.Head = strings.ReplaceAll(r.Head, "{token}", token)
	return r
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

func (r Request) body() ([]byte, error) {
	switch {
	case r.Base64 != "":
		return base64.StdEncoding.DecodeString(r.Base64)
	case r.Repeat != nil:
		return bytes.Repeat([]byte(r.Repeat.Text), r.Repeat.Times), nil
	}
	return []byte(r.Body), nil
}

// Method is the first word of the request.
func (r Request) Method() string {
	method, _, _ := strings.Cut(r.Head, " ")
	return method
}

// head is the head on the wire.
func (r Request) head(length int) string {
	line, headers, _ := strings.Cut(strings.TrimSuffix(r.Head, "\n"), "\n")
	lines := []string{line + " HTTP/1.1"}
	if headers != "" {
		lines = append(lines, strings.Split(headers, "\n")...)
	}
	lower := strings.ToLower("\n" + headers)
	add := func(name, value string) {
		if !strings.Contains(lower, "\n"+strings.ToLower(name)+":") {
			lines = append(lines, name+": "+value)
		}
	}
	add("Host", "api.example.com")
	add("Connection", "close")
	switch {
	case r.Chunked > 0:
		add("Transfer-Encoding", "chunked")
	case length > 0:
		add("Content-Length", fmt.Sprint(length))
	}
	text := strings.Join(lines, "\r\n") + "\r\n\r\n"
	const pad = "X-Pad: \r\n"
	if n := r.Pad - len(text) - len(pad); r.Pad > 0 && n > 0 {
		text = text[:len(text)-2] + pad[:7] + strings.Repeat("p", n) + "\r\n\r\n"
	}
	return text
}

// Send sends the request to the address, HOST:PORT or the path of a socket, and reads
// the answer.
func (r Request) Send(ctx context.Context, addr string, limit time.Duration) (Answer, error) {
	body, err := r.body()
	if err != nil {
		return Answer{}, err
	}
	network := "tcp"
	if strings.HasPrefix(addr, "/") {
		network = "unix"
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return Answer{}, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return Answer{}, err
	}
	// A server may answer, and close, before it has taken all: what counts is the answer.
	sent := make(chan struct{})
	go func() {
		_ = r.write(conn, body)
		close(sent)
	}()
	in := bufio.NewReader(conn)
	got, err := http.ReadResponse(in, &http.Request{Method: r.Method()})
	if err != nil {
		return Answer{}, fmt.Errorf("read the answer: %w", err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("read the answer's body: %w", err)
	}
	_ = conn.Close()
	<-sent
	return Answer{got.StatusCode, got.Header, text}, nil
}

func (r Request) write(w io.Writer, body []byte) error {
	head := r.head(len(body))
	pieces := [][]byte{[]byte(head)}
	switch {
	case r.Chunked > 0:
		for rest := body; len(rest) > 0; {
			n := min(r.Chunked, len(rest))
			pieces = append(pieces, fmt.Appendf(nil, "%x\r\n%s\r\n", n, rest[:n]))
			rest = rest[n:]
		}
		pieces = append(pieces, []byte("0\r\n\r\n"))
	case r.Pause > 0:
		pieces = [][]byte{[]byte(head[:len(head)/2]), []byte(head[len(head)/2:]), body[:len(body)/2], body[len(body)/2:]}
	default:
		pieces = append(pieces, body)
	}
	for i, piece := range pieces {
		if i > 0 && r.Pause > 0 {
			<-time.After(r.Pause)
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	return nil
}
