package baz_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/functions/baz"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/apptest/loopback"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/queue"
)

// vendor is a cat facts service on loopback.
type vendor struct {
	down  atomic.Bool
	asked atomic.Int32
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	v.asked.Add(1)
	if v.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"fact":"Cats purr.","length":10}`)
}

const (
	fact     = `{"fact":"Cats purr.","source":"catfact"}`
	fallback = `{"fact":"Cats sleep for most of the day.","source":"fallback"}`
)

func setUp(t *testing.T) (*vendor, *apptest.App, string) {
	t.Helper()
	v := &vendor{}
	s := httptest.NewServer(v)
	t.Cleanup(s.Close)
	app := apptest.New(t, func(c *config.Config) { c.CatfactsURL = s.URL })
	return v, app, app.Serve(baz.Function) + "/baz"
}

func expect(t *testing.T, url, cache, body string) {
	t.Helper()
	got := apptest.Get(t, url)
	if got.Status != http.StatusOK || got.Body != body || got.Header.Get("X-Cache") != cache {
		t.Errorf("%d, X-Cache %q, %s; want 200, %q, %s", got.Status, got.Header.Get("X-Cache"), got.Body, cache, body)
	}
	if age := got.Header.Get("Age"); (age != "") != (cache == "HIT") {
		t.Errorf("Age %q with %s", age, cache)
	}
}

func TestAFactIsKeptForAMinute(t *testing.T) {
	v, app, url := setUp(t)
	expect(t, url, "MISS", fact)
	expect(t, url, "HIT", fact)
	app.Redis.FastForward(59 * time.Second)
	expect(t, url, "HIT", fact)
	app.Redis.FastForward(time.Second)
	expect(t, url, "MISS", fact)
	if n := v.asked.Load(); n != 2 {
		t.Errorf("the vendor was asked %d times, want 2", n)
	}
}

func TestAnotherQueryIsAnotherAnswer(t *testing.T) {
	_, _, url := setUp(t)
	expect(t, url+"?a=1", "MISS", fact)
	expect(t, url+"?a=2", "MISS", fact)
	expect(t, url+"?a=1", "HIT", fact)
}

func TestAFactIsTheSameForEveryone(t *testing.T) {
	v, app, url := setUp(t)
	expect(t, url, "MISS", fact)
	for header, value := range map[string]string{"Authorization": "Bearer " + app.Token("Asdf"), "Cookie": "theme=dark"} {
		answer := apptest.Do(t, http.MethodGet, url, "", http.Header{header: {value}})
		if state := answer.Header.Get("X-Cache"); state != "HIT" {
			t.Errorf("with %s: X-Cache %q, want HIT", header, state)
		}
	}
	if n := v.asked.Load(); n != 1 {
		t.Errorf("the vendor was asked %d times, want once", n)
	}
}

func TestTheVendorIsDown(t *testing.T) {
	v, app, url := setUp(t)
	v.down.Store(true)
	expect(t, url, "MISS", fallback)
	if reports := app.Reports(); len(reports) != 1 || reports[0].Request.Context["function"] != "baz" {
		t.Errorf("reports: %+v, want one of baz", reports)
	}
	v.down.Store(false)
	expect(t, url, "HIT", fallback)
	app.Redis.FastForward(5 * time.Second)
	expect(t, url, "MISS", fact)
}

func TestAMissEnqueuesTheSlowJob(t *testing.T) {
	_, app, url := setUp(t)
	expect(t, url, "MISS", fact)
	expect(t, url, "HIT", fact)
	inspector := asynq.NewInspector(asynq.RedisClientOpt{Addr: app.Redis.Addr()})
	defer inspector.Close()
	jobs, err := inspector.ListPendingTasks(queue.Default)
	if err != nil || len(jobs) != 1 || jobs[0].Type != "slow_job" || string(jobs[0].Payload) != `{"seconds":2}` {
		t.Errorf("%v, jobs %+v; want one slow_job of 2 s", err, jobs)
	}
}

func TestRedisHangs(t *testing.T) {
	s := httptest.NewServer(&vendor{})
	t.Cleanup(s.Close)
	app := apptest.New(t, func(c *config.Config) {
		c.CatfactsURL, c.RedisURL = s.URL, config.Secret("redis://"+loopback.Hung(t))
	})
	url, began := app.Serve(baz.Function)+"/baz", time.Now()
	expect(t, url, "MISS", fact)
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s", took)
	}
	if len(app.Reports()) == 0 {
		t.Error("nothing was reported")
	}
}

func TestRedisIsDown(t *testing.T) {
	_, app, url := setUp(t)
	app.Redis.Close()
	expect(t, url, "MISS", fact)
	expect(t, url, "MISS", fact)
	if len(app.Reports()) == 0 {
		t.Error("nothing was reported")
	}
}
