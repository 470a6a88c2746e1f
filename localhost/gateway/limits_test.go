package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/localhost/gateway"
)

const (
	tooLarge = `{"message":"Request Entity Too Large"}`
	mega     = 1 << 20
)

// counts answers with how many bytes the body has.
func counts(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		panic(err)
	}
	_, _ = fmt.Fprint(w, n)
}

func TestHeadLimit(t *testing.T) {
	addr := stage{template: routes("GET /a"), function: counts}.start(t)
	const limit = 10240
	head := func(size int) string {
		text := "GET /a\nX-Long: "
		return text + strings.Repeat("x", size-len(wire(text)))
	}
	for size, want := range map[int]int{limit - 1: 200, limit: 200, limit + 1: 431, 3 * limit: 431} {
		if n := len(wire(head(size))); n != size {
			t.Fatalf("the head has %d bytes, not %d", n, size)
		}
		got := send(t, addr, head(size))
		if got.status != want {
			t.Errorf("%d bytes: %d, want %d", size, got.status, want)
		}
		if want != 200 {
			got.is(t, 431, `{"message":"Request Header Fields Too Large"}`)
		}
	}
	t.Run("in the path", func(t *testing.T) {
		send(t, addr, "GET /a?"+strings.Repeat("x", limit)).is(t, 431, `{"message":"Request Header Fields Too Large"}`)
	})
}

func TestBodyLimits(t *testing.T) {
	addr := stage{template: routes("POST /a"), function: counts}.start(t)
	const event = 6 * mega
	for _, c := range []struct {
		name, contentType string
		body              string
		status            int
	}{
		{"text under an event's limit", "text/plain", strings.Repeat("x", event-2000), 200},
		{"text over it", "text/plain", strings.Repeat("x", event), 413},
		{"bytes that base64 keeps under it", "image/png", strings.Repeat("\xff", event/4*3-2000), 200},
		{"bytes that base64 makes too many", "image/png", strings.Repeat("\xff", event/4*3+1), 413},
		{"a form is encoded, too", "application/x-www-form-urlencoded", strings.Repeat("x", 5*mega), 413},
		{"characters that JSON escapes", "text/plain", strings.Repeat("\"", event/2-2000), 200},
		{"too many of them", "text/plain", strings.Repeat("\"", event/2), 413},
		{"control characters", "text/plain", strings.Repeat("\x01", event/6), 413},
		{"HTML is not escaped", "text/html", strings.Repeat("<", event-2000), 200},
		{"the gateway's own limit", "text/plain", strings.Repeat("x", 10*mega), 413},
		{"over it", "text/plain", strings.Repeat("x", 10*mega+1), 413},
	} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, chunked %t", c.name, chunked), func(t *testing.T) {
				length, body := "Content-Length: "+strconv.Itoa(len(c.body)), c.body
				if chunked {
					length, body = "Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(c.body), c.body)
				}
				got := send(t, addr, "POST /a\nContent-Type: "+c.contentType+"\n"+length, body)
				if c.status == 413 {
					got.is(t, 413, tooLarge)
				} else if got.status != 200 || got.body != strconv.Itoa(len(c.body)) {
					t.Errorf("got %d %q, want %d bytes", got.status, got.body, len(c.body))
				}
			})
		}
	}
}

// TestBodiesThatAreNotRead are those that never come whole.
func TestBodiesThatAreNotRead(t *testing.T) {
	addr := stage{template: routes("POST /a"), function: counts}.start(t)
	t.Run("one that the client waits with", func(t *testing.T) {
		send(t, addr, "POST /a\nExpect: 100-continue\nContent-Length: "+strconv.Itoa(10*mega+1)).is(t, 413, tooLarge)
	})
	t.Run("one that breaks off", func(t *testing.T) {
		conn := dial(t, addr)
		_, _ = io.WriteString(conn, wire("POST /a\nContent-Length: 10")+"hello")
		type closer interface{ CloseWrite() error }
		_ = conn.(closer).CloseWrite()
		read(t, reader(conn), "POST").is(t, 400, `{"message":"Bad Request"}`)
	})
	t.Run("chunks that are none", func(t *testing.T) {
		send(t, addr, "POST /a\nTransfer-Encoding: chunked", "x\r\n").is(t, 400, `{"message":"Bad Request"}`)
	})
}

func TestAnswerLimits(t *testing.T) {
	const limit = gateway.MaxPayload
	for _, c := range []struct {
		name, encoding, body string
		status               int
	}{
		{"text under the limit", "", strings.Repeat("x", limit-2000), 200},
		{"text over it", "", strings.Repeat("x", limit), 500},
		{"bytes under it", "", strings.Repeat("\xff", limit/4*3-2000), 200},
		{"bytes over it", "", strings.Repeat("\xff", limit/4*3+1), 500},
		{"compressed text is bytes", "br", strings.Repeat("x", limit/4*3+1), 500},
		{"characters that JSON escapes", "", strings.Repeat("\n", limit/2), 500},
		{"much over it", "", strings.Repeat("x", 3*limit), 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := stage{template: routes("GET /a"), function: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				if c.encoding != "" {
					w.Header().Set("Content-Encoding", c.encoding)
				}
				for rest := c.body; rest != ""; {
					n := min(len(rest), 100_000)
					if _, err := io.WriteString(w, rest[:n]); err != nil {
						t.Error(err)
					}
					rest = rest[n:]
				}
			}}.start(t)
			got := send(t, addr, "GET /a")
			switch {
			case got.status != c.status:
				t.Errorf("got %d, want %d", got.status, c.status)
			case c.status == 200 && got.body != c.body:
				t.Errorf("got %d bytes, want %d", len(got.body), len(c.body))
			case c.status == 500 && (got.header.Get("Content-Type") != "application/problem+json" || got.header.Get("Content-Encoding") != "" || got.header.Get("Apigw-Requestid") == ""):
				t.Errorf("got %+v", got.header)
			}
		})
	}
}
