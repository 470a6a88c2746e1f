// Package idempotent lets a client repeat a request without doing it twice, by the
// header Idempotency-Key.
package idempotent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/redisdb"
)

const (
	header = "Idempotency-Key"
	// keepFor is how long an answer is kept, and busy how long one that is under way may
	// take: longer than any request does.
	keepFor = 24 * time.Hour
	busy    = time.Minute
	// maxKey and maxBody are bounds, in bytes.
	maxKey  = 255
	maxBody = 1 << 20
)

// entry is what Redis keeps of a request: what it was, and the answer once there is one.
type entry struct {
	Request string      `json:"request"` // a hash of the body
	Status  int         `json:"status"`  // 0: under way
	Header  http.Header `json:"header,omitempty"`
	Body    []byte      `json:"body,omitempty"`
}

// Once returns middleware that does a request with an Idempotency-Key once. Repeated by
// the same user on the same route within a day, with the same body, it gets the answer
// of the first; with another body a 422, and while the first is under way a 409. A
// failed request (any status but 2xx) may be repeated, and is tried again. Requests
// without the header are not touched; where Redis does not answer, those with it get a
// 503, since nothing could be promised. It stands behind the login.
func Once(app *function.App) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return app.Handle(func(w http.ResponseWriter, r *http.Request) error {
			key := r.Header.Get(header)
			if key == "" {
				next.ServeHTTP(w, r)
				return nil
			}
			if len(key) > maxKey || len(r.Header.Values(header)) > 1 {
				return httperror.New(http.StatusBadRequest, "%s: one key of %d bytes at most is wanted", header, maxKey)
			}
			body, whole := peek(r)
			if !whole {
				next.ServeHTTP(w, r)
				return nil
			}
			client, err := redisdb.Of(app)
			if err != nil {
				return unavailable(err)
			}
			return attempt{app, client, redisKey(r, key), hash(body)}.serve(w, r, next)
		})
	}
}

// peek returns the body and leaves it to be read. It is not whole where it is too large
// or breaks off: the handler meets the same, and answers as it would without a key.
func peek(r *http.Request) (body []byte, whole bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	whole = err == nil && len(body) <= maxBody
	if whole {
		r.Body = rest{bytes.NewReader(body), r.Body}
	} else {
		r.Body = rest{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	}
	return body, whole
}

// rest is a body that was read already, and is closed as before.
type rest struct {
	io.Reader
	io.Closer
}

// redisKey keeps users and routes apart, and what the client sent bounded. The method
// comes first: what was kept when names were the owners began with a name and a method,
// and is nobody's now.
func redisKey(r *http.Request, key string) string {
	return "idempotent:" + hash([]byte(r.Method+"\x00"+r.URL.Path+"\x00"+auth.Owner(r.Context())+"\x00"+key))
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// attempt is one request with a key.
type attempt struct {
	app    *function.App
	redis  redis.UniversalClient
	key    string
	digest string
}

func (a attempt) serve(w http.ResponseWriter, r *http.Request, next http.Handler) error {
	ctx := r.Context()
	text, err := json.Marshal(entry{Request: a.digest})
	if err != nil {
		return err
	}
	first, err := a.redis.SetNX(ctx, a.key, text, busy).Result()
	if err != nil {
		return unavailable(err)
	}
	if !first {
		return a.repeat(ctx, w)
	}
	rec := &recorder{header: w.Header()}
	kept := false
	defer func() {
		if !kept { // it failed, or panicked: it may be tried again
			a.forget(ctx)
		}
	}()
	next.ServeHTTP(rec, r)
	rec.WriteHeader(http.StatusOK)
	// Kept first and sent then: who repeats it having read the answer finds it.
	if rec.status >= 200 && rec.status <= 299 {
		a.keep(ctx, entry{Request: a.digest, Status: rec.status, Header: rec.header.Clone(), Body: rec.body.Bytes()})
		kept = true
	}
	w.WriteHeader(rec.status)
	_, _ = w.Write(rec.body.Bytes()) // it fails only when the client has gone
	return nil
}

// repeat answers as the first request was.
func (a attempt) repeat(ctx context.Context, w http.ResponseWriter) error {
	text, err := a.redis.Get(ctx, a.key).Bytes()
	if errors.Is(err, redis.Nil) { // it failed in between
		return underWay()
	}
	if err != nil {
		return unavailable(err)
	}
	var was entry
	if err := json.Unmarshal(text, &was); err != nil {
		return err
	}
	switch {
	case was.Request != a.digest:
		return httperror.New(http.StatusUnprocessableEntity, "%s: it was used for another body", header)
	case was.Status == 0:
		return underWay()
	}
	maps.Copy(w.Header(), was.Header)
	w.Header().Set("Idempotency-Replayed", "true")
	w.WriteHeader(was.Status)
	_, _ = w.Write(was.Body) // it fails only when the client has gone
	return nil
}

func underWay() error {
	return httperror.New(http.StatusConflict, "a request with this %s is under way", header).With("Retry-After", "1")
}

// keep keeps the answer. What was done is done: a failure here does not undo it, but it
// could be done again once its time is up, which is worth a report.
func (a attempt) keep(ctx context.Context, e entry) {
	text, err := json.Marshal(e)
	if err == nil {
		err = a.redis.Set(context.WithoutCancel(ctx), a.key, text, keepFor).Err()
	}
	if err != nil {
		a.app.Report.Notify(ctx, fmt.Errorf("keep the answer to an %s: %w", header, err))
	}
}

func (a attempt) forget(ctx context.Context) {
	if err := a.redis.Del(context.WithoutCancel(ctx), a.key).Err(); err != nil {
		a.app.Log.WarnContext(ctx, "an Idempotency-Key stays taken for a minute", "error", err)
	}
}

func unavailable(cause error) error {
	return httperror.New(http.StatusServiceUnavailable, "%s cannot be kept now. Try again later, or without it.", header).
		With("Retry-After", "5").Because(cause)
}

// recorder takes an answer down.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}
