package lambda

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// drainTime is how long the last words of a process that has gone are read.
const drainTime = 100 * time.Millisecond

// runtimeAPI is the HTTP server that one process gets its events from and answers
// to (AWS docs "runtimes-api").
type runtimeAPI struct {
	address   string // host:port
	function  Function
	overLimit func() bool // whether the process has had too much memory
	listener  net.Listener
	server    *http.Server

	events     chan *call    // the event to hand out next
	asked      chan struct{} // the process asks for an event, and has answered its last
	initFailed chan *failure // the process says that it cannot start
	over       chan struct{} // the process has answered, but with too much memory
	gone       chan struct{} // closed when the process has ended
	ended      *failure      // how, once gone is closed

	mu    sync.Mutex
	call  *call         // the last event
	state state         // of that event
	taker net.Conn      // the connection that it went out on
	lost  chan struct{} // closed when taker is
}

// state is how far the process is with an event.
type state int

const (
	idle     state = iota // there was none yet
	pending               // the process has not taken it yet
	running               // the process works on it
	answered              // the process has answered, or does so now
)

func newRuntimeAPI(f Function, overLimit func() bool) (*runtimeAPI, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a Runtime API: %w", err)
	}
	a := &runtimeAPI{
		address: l.Addr().String(), function: f, overLimit: overLimit, listener: l,
		events: make(chan *call, 1), asked: make(chan struct{}, 1), initFailed: make(chan *failure, 1),
		over: make(chan struct{}, 1), gone: make(chan struct{}),
	}
	a.server = &http.Server{
		Handler: a.routes(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), ConnState: a.connState,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
	return a, nil
}

type connKey struct{}

// connState notices when the connection is closed that an event went out on.
func (a *runtimeAPI) connState(c net.Conn, s http.ConnState) {
	if s != http.StateClosed {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.taker == c {
		a.taker = nil
		close(a.lost)
	}
}

func (a *runtimeAPI) serve() {
	go func() { _ = a.server.Serve(a.listener) }() // until close
}

// close comes when the process has ended. What it said last is still read.
func (a *runtimeAPI) close(ended *failure) {
	a.ended = ended
	close(a.gone)
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	_ = a.server.Shutdown(ctx)
	_ = a.server.Close()
	_ = a.listener.Close() // where it has never served
}

// deliver hands an event to the process, which has asked or will ask for it.
func (a *runtimeAPI) deliver(c *call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select { // a request for an event that the process has given up and sent again
	case <-a.asked:
	default:
	}
	a.call, a.state = c, pending
	a.events <- c
}

// routes are the paths of the Runtime API, and of the Extensions API what is needed.
func (a *runtimeAPI) routes() http.Handler {
	const invocation, extension = "/2018-06-01/runtime/invocation/", "/2020-01-01/extension/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+invocation+"next", a.next)
	mux.HandleFunc("POST "+invocation+"{id}/response", a.response)
	mux.HandleFunc("POST "+invocation+"{id}/error", a.failed)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", a.initError)
	mux.HandleFunc("POST "+extension+"register", a.register)
	mux.HandleFunc("GET "+extension+"event/next", a.nextForExtension)
	return mux
}

// next waits for an event. Asking for it says that the last one is done with.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	state, lost := a.state, a.lost
	if state == idle || state == answered {
		select {
		case a.asked <- struct{}{}:
		default:
		}
	}
	a.mu.Unlock()
	if state == running && !a.recall(lost) {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the last event has no answer yet")
		return
	}
	select {
	case c := <-a.events:
		a.hand(w, r, c)
	case <-r.Context().Done():
	case <-a.gone:
	}
}

// recall takes back an event that may never have arrived: the connection that it went
// out on is closed. So it happens to a process whose client gave up while it waited,
// after a long freeze for example.
func (a *runtimeAPI) recall(lost <-chan struct{}) bool {
	select {
	case <-lost:
	case <-time.After(drainTime):
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state == running {
		a.state = pending
		a.events <- a.call
	}
	return true
}

// hand writes the event.
func (a *runtimeAPI) hand(w http.ResponseWriter, r *http.Request, c *call) {
	a.mu.Lock()
	a.state = running
	a.taker, _ = r.Context().Value(connKey{}).(net.Conn)
	a.lost = make(chan struct{})
	payload := c.inv.Payload
	a.mu.Unlock()
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{strconv.Itoa(len(payload))}
	h["Lambda-Runtime-Aws-Request-Id"] = []string{c.inv.RequestID}
	h["Lambda-Runtime-Deadline-Ms"] = []string{strconv.FormatInt(c.deadline.UnixMilli(), 10)}
	h["Lambda-Runtime-Invoked-Function-Arn"] = []string{a.function.ARN()}
	h["Lambda-Runtime-Trace-Id"] = []string{c.inv.TraceID}
	if c.inv.ClientContext != "" {
		h["Lambda-Runtime-Client-Context"] = []string{c.inv.ClientContext}
	}
	if c.inv.Identity != "" {
		h["Lambda-Runtime-Cognito-Identity"] = []string{c.inv.Identity}
	}
	_, _ = w.Write(payload) // a process that does not read it times out
}

// claim returns the event that the process wants to answer, which it may do once.
func (a *runtimeAPI) claim(w http.ResponseWriter, r *http.Request) *call {
	id := r.PathValue("id")
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.call == nil || a.call.inv.RequestID != id || a.state == pending:
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "no event has this request id")
		return nil
	case a.state == answered:
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the event has its answer already")
		return nil
	}
	a.state = answered
	a.call.inv.Payload = nil // it may be large, and the call stays until the next one
	return a.call
}

// initError takes the reason why the process cannot start. It ends soon.
func (a *runtimeAPI) initError(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	state := a.state
	a.mu.Unlock()
	if state != idle {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the process has started already")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxResponse))
	if err != nil {
		refuse(w, http.StatusBadRequest, "TruncatedHTTPRequest", "the error could not be read")
		return
	}
	accept(w)
	select {
	case a.initFailed <- spoken(r.Header, body):
	default:
	}
}
