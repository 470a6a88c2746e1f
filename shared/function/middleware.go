package function

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"time"

	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/logging"
	"github.com/tandem-api/tandem/shared/report"
)

// identify puts the function's name and the request's id into the context. The id
// is the gateway's where there is one in front (see WithRequest), else a new one.
func identify(name string) func(http.Handler) http.Handler {
	attr := slog.String(logging.Function, name)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			if logging.Value(ctx, logging.RequestID) == "" {
				id := rand.Text()
				ctx = WithRequest(ctx, id, id)
			}
			next.ServeHTTP(w, r.WithContext(logging.With(ctx, attr)))
		})
	}
}

// WithRequest tells a function the request's id, and the trace that it is part of.
// Whoever calls a function's handler sets them: lambdahttp from the event, the local
// gateway from its own.
func WithRequest(ctx context.Context, requestID, traceID string) context.Context {
	return logging.With(ctx, slog.String(logging.RequestID, requestID), slog.String(logging.TraceID, traceID))
}

// access logs a line a request. See Function.Quiet.
func access(app *App, quiet bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			ww := &written{ResponseWriter: w}
			defer func() {
				status := cmp.Or(ww.status, http.StatusOK)
				level := slog.LevelInfo
				if quiet && status < http.StatusBadRequest && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
					level = slog.LevelDebug
				}
				// The query may hold secrets; the path is what routes see.
				app.Log.LogAttrs(r.Context(), level, "request",
					slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", status),
					slog.Int64("bytes", ww.bytes), slog.Duration("duration", time.Since(start)))
			}()
			next.ServeHTTP(ww, r)
		})
	}
}

// recovery answers a panic with a 500 and reports it with its stack. After the head
// of an answer has gone out, it can only cut the answer off.
func recovery(app *App) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				v := recover()
				if v == nil {
					return
				}
				// net/http's own way to cut an answer off: not an error.
				if v == http.ErrAbortHandler { //nolint:errorlint // it is compared so by net/http
					panic(v)
				}
				app.Log.ErrorContext(r.Context(), "panic", "value", v)
				app.Report.Panic(r.Context(), v, report.Request(r))
				if begun(w) {
					panic(http.ErrAbortHandler)
				}
				httperror.Write(w, r, httperror.New(http.StatusInternalServerError, ""))
			}()
			next.ServeHTTP(w, r)
		})
	}
}
