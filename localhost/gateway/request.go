package gateway

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
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

// within says whether a path is under a stage's prefix.
func within(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (prefix == "" || rest == "" || rest[0] == '/')
}

// canonical gives a path the one form that both fidelities can give it. An event has
// the path decoded, so how a byte was sent (%41 or A) is lost on Lambda; only a slash
// within a variable survives, in pathParameters. RawPath is therefore set only where
// there is a %2F, and then written as url.PathEscape does.
func canonical(u *url.URL) {
	if u.RawPath == "" {
		return
	}
	if !strings.Contains(u.RawPath, "%2F") && !strings.Contains(u.RawPath, "%2f") {
		u.RawPath = ""
		return
	}
	segments := strings.Split(u.RawPath, "/")
	for i, segment := range segments {
		if plain, err := url.PathUnescape(segment); err == nil {
			segments[i] = url.PathEscape(plain)
		}
	}
	u.RawPath = strings.Join(segments, "/")
}

// forward makes of the client's request the one that a function gets from its
// event: each header once, without those that end at the gateway, and with those
// that the gateway adds.
func (c *call) forward(r *http.Request) {
	for name, values := range r.Header {
		switch {
		case hopByHop(name) || name == "Expect":
			delete(r.Header, name)
		case len(values) > 1 && name == "Cookie":
			r.Header[name] = []string{strings.Join(values, "; ")}
		case len(values) > 1:
			r.Header[name] = []string{strings.Join(values, ",")}
		}
	}
	ip, port := addresses(r)
	if sent := r.Header.Get("X-Forwarded-For"); sent != "" && forwardedForAdds {
		ip = sent + ", " + ip
	}
	c.values[forValue], c.values[portValue], c.values[protoValue] = ip, port, "http"
	c.set(r.Header, "X-Forwarded-For", forValue)
	c.set(r.Header, "X-Forwarded-Port", portValue)
	c.set(r.Header, "X-Forwarded-Proto", protoValue)
	c.set(r.Header, "X-Amzn-Trace-Id", traceValue)
	if n := c.body.Len(); n > 0 {
		r.Header["Content-Length"] = []string{strconv.Itoa(n)}
	}
	if prefix := c.api.prefix; prefix != "" {
		u := *r.URL
		u.Path, u.RawPath = without(u.Path, prefix), without(u.RawPath, prefix)
		r.URL = &u
	}
	r.Pattern = "" // the gateway's
}

func without(path, prefix string) string {
	if path == "" {
		return ""
	}
	if path = strings.TrimPrefix(path, prefix); path == "" {
		return "/"
	}
	return path
}

// set sets a header to one of the call's values.
func (c *call) set(h http.Header, name string, value int) {
	h[name] = c.values[value : value+1 : value+1]
}

// addresses returns the client's address and the port that it called.
func addresses(r *http.Request) (ip, port string) {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	port = "80"
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if _, p, err := net.SplitHostPort(local.String()); err == nil {
			port = p
		}
	}
	return ip, port
}
