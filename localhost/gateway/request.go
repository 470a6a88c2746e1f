package gateway

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// headSize is the request line and the headers as they were sent, or near it: spaces
// around a value are gone.
func headSize(r *http.Request) int {
	const crlf, colon = 2, 2
	size := len(r.Method) + len(" ") + len(r.RequestURI) + len(" ") + len(r.Proto) + crlf + len("Host") + colon + len(r.Host) + crlf
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + colon + len(value) + crlf
		}
	}
	return size + crlf
}

// forward makes of the client's request the one that a function on Lambda sees, which
// is made of an event: each header once, without those that end at the gateway, with
// those that it adds, and without the client's port.
func (c *call) forward(r *http.Request) {
	for name, values := range r.Header {
		switch {
		case hopByHop(name) || name == "Expect":
			delete(r.Header, name)
		case len(values) == 1 && utf8.ValidString(values[0]):
		default:
			r.Header[name] = c.merged(name, values)
		}
	}
	ip := clientIP(r)
	r.RemoteAddr = net.JoinHostPort(ip, "0")
	if sent := r.Header.Get("X-Forwarded-For"); sent != "" && forwardedForAdds {
		ip = sent + ", " + ip
	}
	c.values[forValue], c.values[portValue], c.values[protoValue] = ip, c.gateway.portOf(c.request), "http"
	if r.TLS != nil {
		c.values[protoValue] = "https"
	}
	c.set(r.Header, "X-Forwarded-For", forValue)
	c.set(r.Header, "X-Forwarded-Port", portValue)
	c.set(r.Header, "X-Forwarded-Proto", protoValue)
	c.set(r.Header, "X-Amzn-Trace-Id", traceValue)
	if n := c.payload.Len(); n > 0 && r.Header["Content-Length"] == nil {
		r.Header["Content-Length"] = []string{strconv.Itoa(n)} // it came in chunks
	}
	if u := c.functionURL(); u != nil {
		r.URL, r.RequestURI = u, u.RequestURI()
	}
	r.Pattern = "" // the gateway's own
}

// merged are a header's values as an event brings them.
func (c *call) merged(name string, values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = asJSON(v)
	}
	switch {
	case c.route.PayloadVersion == "1.0": // which has a place for each
		return out
	case name == "Cookie":
		return []string{strings.Join(out, "; ")}
	}
	return []string{strings.Join(out, ",")}
}

// set sets a header to one of the call's values.
func (c *call) set(h http.Header, name string, value int) {
	h[name] = c.values[value : value+1 : value+1]
}

func clientIP(r *http.Request) string {
	if ip, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return ip
	}
	return r.RemoteAddr
}

// port is a port, and as a text. A gateway is served on one port for the most part.
type port struct {
	number int
	text   string
}

// portOf is the port that the client called.
func (g *Gateway) portOf(r *http.Request) string {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return "80"
	}
	last := g.port.Load()
	if last == nil || last.number != local.Port {
		last = &port{local.Port, strconv.Itoa(local.Port)}
		g.port.Store(last)
	}
	return last.text
}
