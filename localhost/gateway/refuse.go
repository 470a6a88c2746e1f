package gateway

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/tandem-api/tandem/localhost/fault"
)

// refusal is an answer of the gateway's own.
type refusal struct {
	status  int
	message string // or the whole body, where that has another form
}

// doesNotBuild is the status of a refusal that is not the gateway's but this host's: the
// message is what the compiler says of an authorizer.
const doesNotBuild = 0

func (f refusal) body() string {
	if strings.HasPrefix(f.message, "{") {
		return f.message
	}
	return `{"message":"` + f.message + `"}`
}

// Refuse answers with a status in the gateway's words: 413, 429, 503 where the function
// is given up, and for any other that it has failed. It is for a handler that calls a
// process and has no answer from it.
func Refuse(w http.ResponseWriter, r *http.Request, status int) {
	rules := &httpRules
	if c, ok := callOf(r); ok {
		rules = c.rules()
	}
	f := rules.failed
	switch status {
	case bodyTooLarge.status:
		f = bodyTooLarge
	case tooManyRequests.status:
		f = tooManyRequests
	case http.StatusServiceUnavailable:
		f = rules.late
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_, _ = w.Write([]byte(f.body()))
}

// refuse answers in the function's place, before it was called.
func (c *call) refuse(f refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.status == doesNotBuild {
		c.given = true
		fault.Answer(c.w, c.request, f.message)
		return
	}
	c.instead(f)
}

// instead gives the gateway's own answer, without what the function may have set.
func (c *call) instead(f refusal) {
	c.given = true
	c.release()
	body := f.body()
	to := c.w.Header()
	closing := to["Connection"]
	clear(to)
	if closing != nil {
		to["Connection"] = closing
	}
	to[c.rules().requestID] = []string{c.id()}
	to["Content-Type"] = []string{"application/json"}
	to["Content-Length"] = []string{strconv.Itoa(len(body))}
	if c.challenge != "" {
		to["Www-Authenticate"] = []string{c.challenge}
	}
	if corsOnErrors {
		c.addCORS()
	}
	c.w.WriteHeader(f.status)
	_, _ = c.w.Write([]byte(body))
}

// addCORS adds the headers that the API's CorsConfiguration asks for.
func (c *call) addCORS() {
	if c.api != nil && c.api.cors != nil {
		c.api.cors.add(c.w.Header(), c.request.Header.Get("Origin"))
	}
}
