package report_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/report"
)

var errOh = errors.New("oh")

func TestAsyncNeverWaitsAndCountsWhatItDrops(t *testing.T) {
	hung := make(chan struct{})
	h, log := newHoneybadger(t, http.StatusCreated, hung), &lines{}
	r := report.New(report.Options{APIKey: apiKey, Endpoint: h.url, Timeout: time.Minute, Queue: 10, Log: log.logger()})

	r.Notify(t.Context(), errOh)
	apptest.Eventually(t, "a notice is under way", func() bool { return len(h.raw()) == 1 })
	for range 300 { // with a sender that hangs, this would take its time-out if it ever waited
		r.Notify(inRequest(t), errOh)
	}
	if got := r.Stats(); got != (report.Stats{Dropped: 290}) {
		t.Errorf("stats %+v, want 290 dropped", got)
	}
	if got := strings.Count(log.String(), `"reports dropped"`); got != 1 {
		t.Errorf("%d lines about drops, want 1:\n%s", got, log)
	}

	ended, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	err := r.Close(ended)
	if err == nil || !strings.Contains(err.Error(), "11 not sent") || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close: %v, want 11 not sent", err)
	}
	if !strings.Contains(log.String(), `"reports lost","dropped":290`) {
		t.Errorf("the log lacks the total:\n%s", log)
	}
	close(hung) // the one under way is taken after all, the ten are not tried
	apptest.Eventually(t, "the sender has ended", func() bool { return r.Stats() == report.Stats{Sent: 1, Dropped: 300} })
}

func TestCloseSendsWhatWaits(t *testing.T) {
	h, log := newHoneybadger(t, http.StatusOK, nil), &lines{}
	r := report.New(report.Options{APIKey: apiKey, Endpoint: h.url, Log: log.logger()})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				r.Notify(inRequest(t), errOh, report.Data(map[string]any{"a": 1}))
			}
		})
	}
	all.Wait()
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := r.Stats(); got != (report.Stats{Sent: 80}) || len(h.raw()) != 80 {
		t.Errorf("stats %+v, %d at the server, want 80", got, len(h.raw()))
	}
	r.Notify(t.Context(), errOh)
	if err := r.Close(t.Context()); err != nil || r.Stats().Dropped != 1 || !strings.Contains(log.String(), "the reporter is closed") {
		t.Errorf("after Close: %v, %+v, log %s", err, r.Stats(), log)
	}
}

func TestWhatTheServerRefusesIsLoggedWithoutTheKey(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		want   string
	}{
		"a wrong key":    {http.StatusForbidden, "Unauthorized: bad API key?"},
		"too many":       {http.StatusTooManyRequests, "Rate exceeded"},
		"not understood": {http.StatusUnprocessableEntity, "as the test asked"},
		"broken":         {http.StatusInternalServerError, "status=500"},
	} {
		t.Run(name, func(t *testing.T) {
			h, log := newHoneybadger(t, c.status, nil), &lines{}
			r := newSync(h, log)
			r.Notify(inRequest(t), errOh)
			got := log.String()
			for _, want := range []string{`"msg":"report not sent"`, c.want, `"class":"error"`, `"message":"oh"`, `"requestId":"req-1"`} {
				if !strings.Contains(got, want) {
					t.Errorf("the log lacks %s: %s", want, got)
				}
			}
			if strings.Contains(got, apiKey) {
				t.Errorf("the key was logged: %s", got)
			}
			if r.Stats() != (report.Stats{Failed: 1}) {
				t.Errorf("stats %+v", r.Stats())
			}
		})
	}
}

func TestSyncWaitsNoLongerThanTheTimeout(t *testing.T) {
	h, log := newHoneybadger(t, http.StatusCreated, make(chan struct{})), &lines{}
	r := report.New(report.Options{APIKey: apiKey, Endpoint: h.url, Sync: true, Timeout: 50 * time.Millisecond, Log: log.logger()})
	done := make(chan struct{})
	go func() {
		defer close(done)
		var all sync.WaitGroup
		for range 20 { // one after the other, these would take a second
			all.Go(func() { r.Notify(t.Context(), errOh) })
		}
		all.Wait()
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("Notify still waits for a server that hangs")
	}
	if got := r.Stats(); got != (report.Stats{Failed: 20}) {
		t.Errorf("stats %+v, want 20 failed", got)
	}
	if !strings.Contains(log.String(), "deadline exceeded") {
		t.Errorf("log %s", log)
	}
}

func TestAServerThatIsNotThereIsLogged(t *testing.T) {
	log := &lines{}
	r := report.New(report.Options{APIKey: apiKey, Endpoint: "http://127.0.0.1:1", Sync: true, Log: log.logger()})
	r.Notify(t.Context(), errOh)
	if r.Stats().Failed != 1 || !strings.Contains(log.String(), "connection refused") {
		t.Errorf("stats %+v, log %s", r.Stats(), log)
	}
}

// As on Lambda: the connection of the last report has died in the meantime.
func TestAConnectionThatHasDiedIsReplaced(t *testing.T) {
	var mu sync.Mutex            // a connection that dies may still be under way when the next one comes
	requests := map[string]int{} // of each connection
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if requests[r.RemoteAddr]++; requests[r.RemoteAddr] > 1 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusCreated)
	}))
	t.Cleanup(s.Close)
	r := report.New(report.Options{APIKey: apiKey, Endpoint: s.URL, Sync: true, Timeout: 5 * time.Second})
	r.Notify(t.Context(), errOh)
	r.Notify(t.Context(), errOh)
	mu.Lock()
	defer mu.Unlock()
	if r.Stats() != (report.Stats{Sent: 2}) || len(requests) != 2 {
		t.Errorf("stats %+v, %d connections", r.Stats(), len(requests))
	}
}

// The client starts two goroutines for work that we never give it.
func TestNoGoroutineOutlivesTheReporter(t *testing.T) {
	h := newHoneybadger(t, http.StatusCreated, nil)
	ours := func() int {
		var b strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&b, 2)
		return strings.Count(b.String(), "honeybadger-go.NewEventsWorker in") + strings.Count(b.String(), "honeybadger-go.newBufferedWorker in") +
			strings.Count(b.String(), "report.(*sender).run")
	}
	before := ours() // those of the client's own global
	if before == 0 {
		t.Fatal("the names of the client's goroutines have changed: this test sees nothing")
	}
	for _, sync := range []bool{true, false} {
		for range 10 {
			r := report.New(report.Options{APIKey: apiKey, Endpoint: h.url, Sync: sync, Timeout: 10 * time.Second})
			r.Notify(t.Context(), errOh)
			if err := r.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if r.Stats().Sent != 1 {
				t.Fatalf("stats %+v", r.Stats())
			}
		}
	}
	apptest.Eventually(t, "the client's goroutines have ended", func() bool { return ours() <= before })
}
