package apptest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Report is what Honeybadger was sent of one event.
type Report struct {
	Error struct {
		Class, Message, Fingerprint string
		Tags                        []string
		Backtrace                   []struct{ File, Method, Number string }
	}
	Request struct {
		URL     string
		Params  map[string][]string
		CGIData map[string]string `json:"cgi_data"`
		Context map[string]any    // requestId, function, traceId and what else it was given
	}
	Server struct {
		Environment string `json:"environment_name"`
	}
	Raw string `json:"-"` // all of it, as it was sent
}

// reports is a Honeybadger on loopback.
type reports struct {
	url    string
	mu     sync.Mutex
	bodies [][]byte
}

func newReports(t testing.TB) *reports {
	t.Helper()
	r := &reports{}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

func (r *reports) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil || request.Method != http.MethodPost || request.URL.Path != "/v1/notices" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.bodies = append(r.bodies, body)
	r.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"id":"of-the-tests"}`)
}

func (r *reports) all(t testing.TB) []Report {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]Report, len(r.bodies))
	for i, body := range r.bodies {
		if err := json.Unmarshal(body, &list[i]); err != nil {
			t.Fatalf("a report that is not JSON: %v: %s", err, body)
		}
		list[i].Raw = string(body)
	}
	return list
}
