package apptest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Runtime is a Lambda Runtime API (version 2018-06-01) on loopback, for one function's
// process: it hands out events and takes the answers.
type Runtime struct {
	t       testing.TB
	addr    string
	process *Process // nil until Start
	events  chan *invocation

	mu      sync.Mutex
	count   int
	pending map[string]*invocation // handed out, not answered
	initErr chan *FunctionError
}

// invocation is an event on its way.
type invocation struct {
	id       string
	event    []byte
	deadline time.Time
	answer   chan outcome // of one, never blocked on
}

type outcome struct {
	body []byte
	err  error
}

// FunctionError is what a function tells the Runtime API of its failure.
type FunctionError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *FunctionError) Error() string { return e.Type + ": " + e.Message }

// timeout is how long an invocation may take.
const timeout = 20 * time.Second

// NewRuntime starts a Runtime API for the length of the test.
func NewRuntime(t testing.TB) *Runtime {
	t.Helper()
	rt := &Runtime{t: t, events: make(chan *invocation), pending: map[string]*invocation{}, initErr: make(chan *FunctionError, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", rt.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", rt.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", rt.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", rt.initFailure)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	rt.addr = strings.TrimPrefix(s.URL, "http://")
	return rt
}

// Addr is where the Runtime API listens, as AWS_LAMBDA_RUNTIME_API has it.
func (rt *Runtime) Addr() string { return rt.addr }

// Invoke hands the event to the function and returns its answer. The event is sent as
// JSON, and []byte as it is. The error is a *FunctionError where the function has told
// one; otherwise the process has ended, or has not answered in time.
func (rt *Runtime) Invoke(event any) ([]byte, error) {
	rt.t.Helper()
	return rt.InvokeWithin(timeout, event)
}

// InvokeWithin is Invoke with a deadline, which the function is told of.
func (rt *Runtime) InvokeWithin(limit time.Duration, event any) ([]byte, error) {
	rt.t.Helper()
	text, ok := event.([]byte)
	if !ok {
		var err error
		if text, err = json.Marshal(event); err != nil {
			rt.t.Fatal(err)
		}
	}
	rt.mu.Lock()
	rt.count++
	i := &invocation{
		id:    fmt.Sprintf("00000000-0000-4000-8000-%012d", rt.count),
		event: text, deadline: time.Now().Add(limit), answer: make(chan outcome, 1),
	}
	rt.pending[i.id] = i
	rt.mu.Unlock()

	ctx, cancel := context.WithDeadline(rt.t.Context(), i.deadline)
	defer cancel()
	select {
	case rt.events <- i:
	case <-rt.process.done():
		return nil, errors.New("the process has ended")
	case <-ctx.Done():
		return nil, fmt.Errorf("the process does not ask for an event: %w", ctx.Err())
	}
	select {
	case o := <-i.answer:
		return o.body, o.err
	case <-rt.process.done():
		select { // an answer may have come just before
		case o := <-i.answer:
			return o.body, o.err
		default:
			return nil, errors.New("the process has ended without an answer")
		}
	case <-ctx.Done():
		return nil, fmt.Errorf("no answer: %w", ctx.Err())
	}
}

// InitError returns what the function told when it could not start. It fails the test
// if that does not come.
func (rt *Runtime) InitError() *FunctionError {
	rt.t.Helper()
	select {
	case e := <-rt.initErr:
		return e
	case <-time.After(timeout):
		rt.t.Fatal("the function has not told that it cannot start")
		return nil
	}
}

func (rt *Runtime) next(w http.ResponseWriter, r *http.Request) {
	select {
	case i := <-rt.events:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", i.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:test")
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-6742b8f4-0123456789abcdef01234567;Sampled=0")
		_, _ = w.Write(i.event)
	case <-r.Context().Done():
	}
}

func (rt *Runtime) response(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	rt.finish(w, r, outcome{body: body, err: err})
}

func (rt *Runtime) failure(w http.ResponseWriter, r *http.Request) {
	var e FunctionError
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
		rt.finish(w, r, outcome{err: fmt.Errorf("an error that is not JSON: %w", err)})
		return
	}
	rt.finish(w, r, outcome{err: &e})
}

// finish takes what the function tells of an event, once.
func (rt *Runtime) finish(w http.ResponseWriter, r *http.Request, o outcome) {
	id := r.PathValue("id")
	rt.mu.Lock()
	i := rt.pending[id]
	delete(rt.pending, id)
	rt.mu.Unlock()
	if i == nil {
		rt.t.Errorf("the function answers the event %s, which it does not have", id)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	i.answer <- o
}

func (rt *Runtime) initFailure(w http.ResponseWriter, r *http.Request) {
	e := &FunctionError{Type: r.Header.Get("Lambda-Runtime-Function-Error-Type")}
	if err := json.NewDecoder(r.Body).Decode(e); err != nil {
		rt.t.Errorf("an init error that is not JSON: %v", err)
	}
	select {
	case rt.initErr <- e:
	default:
		rt.t.Error("the function told twice that it cannot start")
	}
	w.WriteHeader(http.StatusAccepted)
}
