package gateway

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-api/tandem/localhost/template"
)

// cors is a CorsConfiguration ("http-api-cors"), its lists joined once.
type cors struct {
	origins     []string
	methods     string
	headers     string
	exposed     string
	maxAge      string
	credentials bool
}

func newCORS(c *template.CORS) *cors {
	if c == nil {
		return nil
	}
	out := &cors{
		origins:     c.AllowOrigins,
		methods:     strings.Join(c.AllowMethods, ","),
		headers:     strings.Join(c.AllowHeaders, ","),
		exposed:     strings.Join(c.ExposeHeaders, ","),
		credentials: c.AllowCredentials,
	}
	if c.MaxAge >= 0 {
		out.maxAge = strconv.Itoa(c.MaxAge)
	}
	return out
}

// ofCORS says whether a header of the function gives way to the configuration.
func ofCORS(name string) bool { return strings.HasPrefix(name, "Access-Control-") }

// preflight says whether a browser asks for leave (Fetch Standard, "CORS-preflight
// request"). Any other OPTIONS request goes to a route.
func preflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// allowed returns what access-control-allow-origin says to an origin, "" for nothing.
func (c *cors) allowed(origin string) string {
	switch {
	case origin == "":
		return ""
	case slices.Contains(c.origins, "*"):
		return "*"
	case slices.Contains(c.origins, origin),
		strings.HasPrefix(origin, "https://") && slices.Contains(c.origins, "https://*"),
		strings.HasPrefix(origin, "http://") && slices.Contains(c.origins, "http://*"):
		return origin
	}
	return ""
}

// add adds the headers of an answer that is not a preflight's.
func (c *cors) add(h http.Header, origin string) {
	if origin = c.allowed(origin); origin == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if c.credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if c.exposed != "" {
		h.Set("Access-Control-Expose-Headers", c.exposed)
	}
}

// answer answers a preflight. What is not allowed is not said, and the browser
// concludes from that.
func (c *cors) answer(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if origin := c.allowed(r.Header.Get("Origin")); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		for name, value := range map[string]string{
			"Access-Control-Allow-Methods": c.methods,
			"Access-Control-Allow-Headers": c.headers,
			"Access-Control-Max-Age":       c.maxAge,
		} {
			if value != "" {
				h.Set(name, value)
			}
		}
		if c.credentials {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
	}
	w.WriteHeader(preflightStatus)
}
