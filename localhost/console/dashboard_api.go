package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/report"
)

// serveAPI answers what the dashboard's script asks for. The Redis client's own
// time-outs bound how long it takes.
func (d *dashboard) serveAPI(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Path == dashboardPath+"/api/metrics" {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, noMetrics)
		return nil
	}
	a := d.ask(r)
	if r.URL.Path == dashboardPath+"/api/redis_info" {
		completeInfo(a)
	}
	switch {
	case a.status >= http.StatusBadRequest:
		return d.failAPI(w, r, a)
	case bytes.Equal(a.body.Bytes(), d.index): // asynqmon's way to say that it has no such route
		return httperror.New(http.StatusNotFound, "")
	}
	maps.Copy(w.Header(), a.header)
	if a.body.Len() > 0 {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // it fails only when the client has gone
	return nil
}

// failAPI answers with a clear error for the one that asynqmon gave. The dashboard's
// script shows it as the text that it is, and breaks over anything else; every other
// caller gets a problem document.
func (d *dashboard) failAPI(w http.ResponseWriter, r *http.Request, a *answer) error {
	err := d.explain(r.Context(), a)
	if err.Status == http.StatusInternalServerError {
		d.app.Log.ErrorContext(r.Context(), "request failed", slog.Any("error", err))
		d.app.Report.Notify(r.Context(), err, report.Request(r))
	}
	if !acceptsText(r) {
		httperror.Write(w, r, err)
		return nil
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(err.Status)
	_, _ = io.WriteString(w, err.Detail)
	return nil
}

// explain finds out what an error of asynqmon means: it sends 500 for nearly all.
func (d *dashboard) explain(ctx context.Context, a *answer) *httperror.Error {
	text := strings.TrimSpace(a.body.String())
	if a.status < http.StatusInternalServerError {
		return httperror.New(a.status, "%s", text)
	}
	if err := d.ping(ctx); err != nil {
		return httperror.New(http.StatusServiceUnavailable,
			"Redis at %s does not answer. The jobs wait until it is back.", address(d.rdb)).Because(err)
	}
	if strings.Contains(text, "not found") || strings.Contains(text, "does not exist") {
		return httperror.New(http.StatusNotFound, "There is no such queue or task: it may have run or been deleted meanwhile.")
	}
	// What comes too late: the task runs by now, or the queue is paused already.
	if _, why, ok := strings.Cut(text, "FAILED_PRECONDITION: "); ok {
		return httperror.New(http.StatusConflict, "This is not possible now: %s", why)
	}
	if strings.HasSuffix(text, "is already paused") || strings.HasSuffix(text, "is not paused") {
		return httperror.New(http.StatusConflict, "This is not possible now: %s", text)
	}
	return httperror.New(http.StatusInternalServerError, "The dashboard failed; the log says why.").Because(errors.New(text))
}

// acceptsText says whether the caller takes plain text by name, as the script does.
func acceptsText(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		if t, _, err := mime.ParseMediaType(part); err == nil && t == "text/plain" {
			return true
		}
	}
	return false
}

// noMetrics answers the dashboard's view of metrics, whose series come from a
// Prometheus, as one that has no samples would.
const noMetrics = `{` +
	`"queue_size":` + noSamples + `,` +
	`"queue_latency_seconds":` + noSamples + `,` +
	`"queue_memory_usage_approx_bytes":` + noSamples + `,` +
	`"tasks_processed_per_second":` + noSamples + `,` +
	`"tasks_failed_per_second":` + noSamples + `,` +
	`"error_rate":` + noSamples + `,` +
	`"pending_tasks_by_queue":` + noSamples + `,` +
	`"retry_tasks_by_queue":` + noSamples + `,` +
	`"archived_tasks_by_queue":` + noSamples + `}`

const noSamples = `{"status":"success","data":{"resultType":"matrix","result":[]}}`
