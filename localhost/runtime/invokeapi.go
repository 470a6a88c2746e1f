package lambda

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// InvokePath is the path under which an InvokeAPI answers.
const InvokePath = "/2015-03-31/functions/"

// Target is a function as the Invoke API knows it.
type Target struct {
	// Names are all that it is called: its folder, its logical id, its name on Lambda.
	Names  []string
	Invoke Invoke
	// Attempts bounds how often an asynchronous event is run; 0: as often as the queue
	// would.
	Attempts int
}

// InvokeAPI is Lambda's own API to invoke functions (AWS docs "API_Invoke"), so that
// the AWS SDKs and the AWS CLI work against this host. Signatures are not checked. Any
// qualifier is taken, and all mean the only version there is.
type InvokeAPI struct {
	// Admit says who may use it; nil: everyone. Who may not gets 403.
	Admit func(*http.Request) bool

	targets map[string]Target
	queue   *Queue
	log     *slog.Logger
	browser *http.CrossOriginProtection
}

// NewInvokeAPI returns the API for the targets. Events of asynchronous invocations go
// through the queue; the log has what clients are not told. Two functions of one name
// are an error.
func NewInvokeAPI(log *slog.Logger, queue *Queue, targets ...Target) (*InvokeAPI, error) {
	a := &InvokeAPI{targets: map[string]Target{}, queue: queue, log: log, browser: http.NewCrossOriginProtection()}
	for i, t := range targets {
		for _, name := range t.Names {
			if other, taken := a.targets[name]; taken && other.Names[0] != targets[i].Names[0] {
				return nil, fmt.Errorf("two functions are called %s: %s and %s", name, other.Names[0], t.Names[0])
			}
			a.targets[name] = t
		}
	}
	return a, nil
}

// request is a checked request.
type request struct {
	target Target
	inv    Invocation
	kind   string // the invocation type
	stream bool   // the answer is to be streamed
}

// ServeHTTP answers POST /2015-03-31/functions/{name}/invocations, and what serveStream
// is for.
func (a *InvokeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, err := a.read(r)
	if err == nil {
		err = a.serve(w, r, q)
	}
	if err == nil {
		return
	}
	e := apiErrorOf(err)
	if e.status == http.StatusInternalServerError && r.Context().Err() == nil {
		a.log.ErrorContext(r.Context(), "an invocation failed on this side", "function", q.target.Names[0], "requestId", q.inv.RequestID, "error", err)
	}
	e.write(w)
}

func (a *InvokeAPI) serve(w http.ResponseWriter, r *http.Request, q request) error {
	h := w.Header()
	h.Set("X-Amzn-Requestid", q.inv.RequestID)
	switch {
	case q.kind == "DryRun":
		w.WriteHeader(http.StatusNoContent)
		return nil
	case q.stream:
		return a.serveStream(w, r, q)
	case q.kind == "Event":
		q.inv.Attempts = q.target.Attempts
		if err := a.queue.Put(q.target.Names[0], q.target.Invoke, q.inv); err != nil {
			return err
		}
		w.WriteHeader(http.StatusAccepted)
		return nil
	}
	result, err := q.target.Invoke(r.Context(), q.inv)
	if err != nil {
		return err
	}
	h.Set("Content-Type", "application/json")
	h.Set("X-Amz-Executed-Version", Version)
	h.Set("X-Amzn-Trace-Id", q.inv.TraceID)
	if result.FunctionError != "" {
		h.Set("X-Amz-Function-Error", result.FunctionError)
	}
	if result.LogTail != nil {
		h.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(result.LogTail))
	}
	_, _ = w.Write(result.Payload) // it fails only when the client has gone
	return nil
}

// functionName takes a name, a part of an ARN or a whole one, with or without a
// qualifier ("API_Invoke", FunctionName).
var functionName = regexp.MustCompile(`^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:[a-z]{2}(?:-[a-z]+)+-\d:)?(?:\d{12}:)?(?:function:)?([a-zA-Z0-9-_.]+)(?::(\$LATEST|[a-zA-Z0-9-_]+))?$`)

// read checks the request. The errors are *apiErrors.
func (a *InvokeAPI) read(r *http.Request) (request, error) {
	var q request
	if a.Admit != nil && !a.Admit(r) {
		return q, refusal(http.StatusForbidden, "AccessDeniedException", "the Lambda API is served to programs of this machine only")
	}
	// A page in a browser on this machine must not run functions.
	if err := a.browser.Check(r); err != nil {
		return q, refusal(http.StatusForbidden, "AccessDeniedException", "requests of other origins are refused")
	}
	name, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, InvokePath), "/invocations")
	if !ok {
		name, ok = strings.CutSuffix(strings.TrimPrefix(r.URL.Path, StreamPath), "/response-streaming-invocations")
		q.stream = ok
	}
	if !ok || r.Method != http.MethodPost {
		return q, refusal(http.StatusNotFound, "UnknownOperationException", "the operations are Invoke and InvokeWithResponseStream")
	}
	var err error
	if q.target, err = a.find(name, r.URL.Query().Get("Qualifier")); err != nil {
		return q, err
	}
	q.kind = orDefault(r.Header.Get("X-Amz-Invocation-Type"), "RequestResponse")
	if q.kind != "RequestResponse" && q.kind != "DryRun" && (q.kind != "Event" || q.stream) {
		return q, refusal(http.StatusBadRequest, "InvalidParameterValueException", "there is no such invocation type: "+q.kind)
	}
	q.inv.LogTail = r.Header.Get("X-Amz-Log-Type") == "Tail" && q.kind == "RequestResponse"
	if q.inv.Payload, err = readPayload(r, q.kind); err != nil {
		return q, err
	}
	q.inv.ClientContext, err = readClientContext(r)
	q.inv.TraceID = r.Header.Get("X-Amzn-Trace-Id")
	q.inv = q.inv.complete(time.Now())
	return q, err
}

// find returns the function of a name.
func (a *InvokeAPI) find(name, qualifier string) (Target, error) {
	m := functionName.FindStringSubmatch(name)
	if m == nil {
		return Target{}, refusal(http.StatusBadRequest, "ValidationException", fmt.Sprintf("%q is not a function's name", name))
	}
	if m[2] != "" && qualifier != "" && m[2] != qualifier {
		return Target{}, refusal(http.StatusBadRequest, "InvalidParameterValueException", "The derived qualifier from the function name does not match the specified qualifier.")
	}
	t, ok := a.targets[m[1]]
	if !ok {
		arn := Function{Name: m[1], Region: DefaultRegion, AccountID: DefaultAccountID}.ARN()
		return Target{}, refusal(http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+arn)
	}
	return t, nil
}

// readPayload reads the event, JSON. No event at all is an empty object.
func readPayload(r *http.Request, kind string) ([]byte, error) {
	limit := MaxPayload
	if kind == "Event" {
		limit = MaxAsyncPayload
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	switch {
	case err != nil:
		return nil, refusal(http.StatusBadRequest, "InvalidRequestContentException", "the payload could not be read")
	case len(body) > limit:
		_, _ = io.CopyN(io.Discard, r.Body, MaxStream) // a client that still sends would not see the answer
		return nil, &TooLargeError{len(body), limit}
	case len(body) == 0:
		return []byte("{}"), nil
	case !json.Valid(body):
		return nil, refusal(http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json: "+syntaxError(body))
	}
	return body, nil
}

func syntaxError(body []byte) string {
	var v json.RawMessage
	return json.Unmarshal(body, &v).Error()
}

// readClientContext reads a header in base64, at most 3,583 bytes, with JSON inside.
func readClientContext(r *http.Request) (string, error) {
	header := r.Header.Get("X-Amz-Client-Context")
	b, err := base64.StdEncoding.DecodeString(header)
	if err != nil || (len(b) > 0 && !json.Valid(b)) || len(header) > 3583 {
		return "", refusal(http.StatusBadRequest, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object.")
	}
	return string(b), nil
}
