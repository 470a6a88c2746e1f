package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/logging"
	"github.com/tandem-api/tandem/shared/report"
)

const apiKey = "hbp_0123456789"

// notice is what Honeybadger is sent.
type notice struct {
	Error struct {
		Class, Message, Fingerprint string
		Tags                        []string
		Backtrace                   []struct{ File, Method, Number string }
	}
	Request struct {
		URL     string
		Params  map[string][]string
		CGIData map[string]string `json:"cgi_data"`
		Context map[string]any
	}
	Server struct {
		Environment string `json:"environment_name"`
		Hostname    string
		ProjectRoot string `json:"project_root"`
	}
}

// honeybadger is a local server that takes notices.
type honeybadger struct {
	url    string
	mu     sync.Mutex
	bodies [][]byte
	header http.Header
	path   string
}

// newHoneybadger answers every notice with that status, once hold is closed (nil
// means at once).
func newHoneybadger(t testing.TB, status int, hold <-chan struct{}) *honeybadger {
	t.Helper()
	h := &honeybadger{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		h.bodies = append(h.bodies, body)
		h.header, h.path = r.Header, r.Method+" "+r.URL.Path
		h.mu.Unlock()
		if hold != nil {
			select {
			case <-hold:
			case <-r.Context().Done():
			}
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"error":"as the test asked"}`)
	}))
	t.Cleanup(s.Close)
	h.url = s.URL
	return h
}

func (h *honeybadger) raw() [][]byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.bodies
}

// all returns the notices that were taken.
func (h *honeybadger) all(t *testing.T) []notice {
	t.Helper()
	var all []notice
	for _, body := range h.raw() {
		var n notice
		if err := json.Unmarshal(body, &n); err != nil {
			t.Fatalf("the notice is not JSON: %v\n%s", err, body)
		}
		all = append(all, n)
	}
	return all
}

// only returns the one notice that was taken, and its bytes.
func (h *honeybadger) only(t *testing.T) (notice, string) {
	t.Helper()
	all := h.all(t)
	if len(all) != 1 {
		t.Fatalf("%d notices were sent, want 1", len(all))
	}
	return all[0], string(h.raw()[0])
}

// lines is a log to look at.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *lines) logger() *slog.Logger {
	return logging.New(l, config.Config{LogFormat: "json"})
}

// newSync returns a reporter that sends before it returns.
func newSync(h *honeybadger, log *lines) *report.Reporter {
	return report.New(report.Options{
		APIKey: apiKey, Endpoint: h.url, Environment: "testing", Sync: true, Timeout: 5 * time.Second, Log: log.logger(),
	})
}

// inRequest is a context as a function's handler sees it.
func inRequest(t *testing.T) context.Context {
	return logging.With(t.Context(), slog.String(logging.Function, "foo"),
		slog.String(logging.RequestID, "req-1"), slog.String(logging.TraceID, "trace-1"))
}
