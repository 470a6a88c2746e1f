package gateway

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
)

// call is a request on its way, from its arrival to its answer. Each request has one
// of its own, never used again: a function that keeps its context or its ResponseWriter
// for too long disturbs no other request.
type call struct {
	answer
	span

	gateway *Gateway
	request *http.Request // the client's
	arrived time.Time
	api     *api         // nil: the path belongs to none
	chi     *chi.Context // of the gateway's routing
	inner   *chi.Context // of the function's own; nil: its router makes one itself
	route   *route       // nil until it is found
	payload payload

	authorized any    // what the event has under requestContext.authorizer; nil: nothing
	challenge  string // the www-authenticate of a refusal
	// The call's place among those of its route (see watch).
	before, after *call

	// Side by side, so that they take the room of one.
	placed   atomic.Bool
	escaped  bool // the path was routed with escapes in it
	returned bool // the function came to its end by itself
	watched  bool

	// values are the header values that every request adds: here they cost no
	// allocation each.
	values [5]string
}

// Indexes into call.values.
const (
	idValue    = iota // apigw-requestid
	traceValue        // x-amzn-trace-id
	forValue
	portValue
	protoValue
)

// arrive begins a call.
func (g *Gateway) arrive(w http.ResponseWriter, r *http.Request) *call {
	c := &call{gateway: g, request: r, arrived: time.Now(), api: g.apiOf(r.URL.Path)}
	c.w, c.pool = w, &g.buffers
	c.values[idValue], c.values[traceValue] = newIDs(c.arrived)
	if sent := r.Header.Get("X-Amzn-Trace-Id"); traceRoot(sent) != "" {
		c.values[traceValue] = sent
	}
	w.Header()[c.rules().requestID] = c.values[idValue : idValue+1 : idValue+1]
	return c
}

func (c *call) id() string    { return c.values[idValue] }
func (c *call) trace() string { return c.values[traceValue] }

func (c *call) rules() *rules {
	if c.api == nil {
		return &httpRules
	}
	return c.api.rules
}

// newIDs makes a request id, as API Gateway's look (11 bytes in base64), and a trace
// header (X-Ray, "xray-api-sendingdata": version, time, random). They tell requests
// apart and guard nothing.
func newIDs(now time.Time) (id, trace string) {
	var random [24]byte
	binary.LittleEndian.PutUint64(random[0:], rand.Uint64())
	binary.LittleEndian.PutUint64(random[8:], rand.Uint64())
	binary.LittleEndian.PutUint64(random[16:], rand.Uint64())
	const idSize, traceSize = 16, len("Root=1-12345678-123456789012345678901234")
	text := make([]byte, 0, idSize+traceSize)
	text = base64.URLEncoding.AppendEncode(text, random[:11])
	text = append(text, "Root=1-"...)
	var seconds [4]byte
	binary.BigEndian.PutUint32(seconds[:], uint32(now.Unix()))
	text = hex.AppendEncode(text, seconds[:])
	text = append(text, '-')
	text = hex.AppendEncode(text, random[12:])
	both := string(text)
	return both[:idSize], both[idSize:]
}

// traceRoot is the id of the trace that a header names: Root=1-…;Parent=…
func traceRoot(header string) string {
	for field := range strings.SplitSeq(header, ";") {
		if root, ok := strings.CutPrefix(strings.TrimSpace(field), "Root="); ok {
			return root
		}
	}
	return ""
}
