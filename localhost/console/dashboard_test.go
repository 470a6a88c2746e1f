package console_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/localhost/console"
	"github.com/tandem-api/tandem/shared/apptest"
)

// The page and all that it is made of come from here, each with its type.
func TestDashboardPage(t *testing.T) {
	url, _ := serve(t, console.Options{})
	a := call(t, "GET", url+"/internal/asynq/")
	page, policy := a.body, a.header.Get("Content-Security-Policy")
	for _, outside := range regexp.MustCompile(`(?:href|src)="(?:[a-z]+:)?//[^"]*`).FindAllString(page, -1) {
		t.Errorf("the page asks another host: %s", outside)
	}
	if strings.Contains(policy, "script-src 'self' 'unsafe-inline'") || !strings.Contains(policy, "script-src 'self' 'sha256-") {
		t.Errorf("scripts are not known by their hashes: %s", policy)
	}
	types := map[string]string{".js": "text/javascript", ".png": "image/png", ".ico": "image/x-icon"}
	assets := regexp.MustCompile(`(?:href|src)="(/internal/asynq/[^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(assets) < 5 {
		t.Fatalf("only %d files in the page:\n%s", len(assets), page)
	}
	for _, asset := range assets {
		a := call(t, "GET", url+asset[1])
		want := types[path.Ext(asset[1])]
		if a.status != http.StatusOK || want == "" || !strings.HasPrefix(a.contentType(), want) || a.body == "" {
			t.Errorf("%s: %d %s, want %q", asset[1], a.status, a.contentType(), want)
		}
	}
	if !strings.Contains(page, `href="/internal/"`) {
		t.Error("nothing leads back to the overview")
	}
	wantProblem(t, call(t, "GET", url+"/internal/asynq/static/js/missing.js"), http.StatusNotFound)
}

// What the dashboard's buttons send, and what is in Redis then.
func TestDashboardActions(t *testing.T) {
	const api = "/internal/asynq/api/queues/default"
	states := func(t *testing.T, i *asynq.Inspector) string {
		t.Helper()
		q, err := i.GetQueueInfo("default")
		if err != nil {
			return "no queue"
		}
		b, _ := json.Marshal(map[string]int{"pending": q.Pending, "scheduled": q.Scheduled, "archived": q.Archived})
		if q.Paused {
			return "paused " + string(b)
		}
		return string(b)
	}
	const (
		waiting = `{"archived":0,"pending":0,"scheduled":1}`
		running = `{"archived":0,"pending":1,"scheduled":0}`
		shelved = `{"archived":1,"pending":0,"scheduled":0}`
		empty   = `{"archived":0,"pending":0,"scheduled":0}`
	)
	for _, c := range []struct {
		name         string
		method, path string // ID stands for the task's
		body         string
		status       int
		after        string
	}{
		{"run a job now", "POST", "/scheduled_tasks/ID:run", "", 204, running},
		{"archive a job", "POST", "/scheduled_tasks/ID:archive", "", 204, shelved},
		{"delete a job", "DELETE", "/scheduled_tasks/ID", "", 204, empty},
		{"run all jobs", "POST", "/scheduled_tasks:run_all", "", 200, running},
		{"archive all jobs", "POST", "/scheduled_tasks:archive_all", "", 200, shelved},
		{"delete all jobs", "DELETE", "/scheduled_tasks:delete_all", "", 200, empty},
		{"run the chosen jobs", "POST", "/scheduled_tasks:batch_run", `{"task_ids":["ID"]}`, 200, running},
		{"delete the chosen jobs", "POST", "/scheduled_tasks:batch_delete", `{"task_ids":["ID"]}`, 200, empty},
		{"pause the queue", "POST", ":pause", "", 204, "paused " + waiting},
		{"resume a queue that is not paused", "POST", ":resume", "", 409, waiting},
		{"delete a queue that is not empty", "DELETE", "", "", 400, waiting},
		{"a broken list of jobs", "POST", "/scheduled_tasks:batch_run", `{`, 400, waiting},
		{"a job that is not there", "DELETE", "/scheduled_tasks/nothing", "", 404, waiting},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := apptest.Redis(t)
			server := httptest.NewServer(newHandler(t, settings(m.Addr()), console.Options{}))
			defer server.Close()
			task := enqueue(t, m, asynq.ProcessIn(time.Hour))
			fill := strings.NewReplacer("ID", task.ID)
			r, err := http.NewRequestWithContext(t.Context(), c.method, server.URL+api+fill.Replace(c.path), strings.NewReader(fill.Replace(c.body)))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Origin", server.URL)
			if a := do(t, r); a.status != c.status {
				t.Errorf("status %d, want %d: %s", a.status, c.status, a.body)
			}
			if got := states(t, inspector(t, m)); got != c.after {
				t.Errorf("Redis has %s, want %s", got, c.after)
			}
		})
	}
}

// An action that comes too late is no failure of the dashboard.
func TestDashboardActionsTwice(t *testing.T) {
	for _, path := range []string{":pause", "/scheduled_tasks/twice:run", "/scheduled_tasks/twice:archive"} {
		t.Run(path, func(t *testing.T) {
			url, m := serve(t, console.Options{})
			enqueue(t, m, asynq.TaskID("twice"), asynq.ProcessIn(time.Hour))
			path := url + "/internal/asynq/api/queues/default" + path
			if a := call(t, "POST", path); a.status != http.StatusNoContent {
				t.Errorf("the first time: %d %s", a.status, a.body)
			}
			a := call(t, "POST", path)
			wantProblem(t, a, http.StatusConflict)
			if !strings.Contains(a.body, "already") {
				t.Errorf("the answer does not say why: %s", a.body)
			}
		})
	}
}

func TestDashboardData(t *testing.T) {
	for _, c := range []struct {
		name, path, accept string
		redis              func(m *miniredis.Miniredis)
		status             int
		contentType        string
		want               []string
	}{
		{"the queues", "/queues", "", nil, 200, "application/json", []string{`"queue":"default"`, `"scheduled":1`}},
		{"a job's payload", "/queues/default/scheduled_tasks", "", nil, 200, "application/json", []string{`slow_job`, `seconds`}},
		{"metrics, without a Prometheus", "/metrics?duration=3600", "", nil, 200, "application/json",
			[]string{`"queue_size":{"status":"success"`, `"error_rate":{`, `"archived_tasks_by_queue":{`}},
		{"Redis, of which the embedded one says little", "/redis_info", "", nil, 200, "application/json",
			[]string{`"redis_version":"–"`, `"uptime_in_days":"0"`, `"rdb_last_save_time":"0"`, `"address":"127.0.0.1:`}},
		{"no such data", "/nothing", "", nil, 404, "application/problem+json", nil},
		{"no such queue", "/queues/nothing", "", nil, 404, "application/problem+json", []string{"no such queue"}},
		{"no such queue, for the script", "/queues/nothing", axios, nil, 404, "text/plain; charset=utf-8", []string{"There is no such queue"}},
		{"Redis down", "/queues", "", (*miniredis.Miniredis).Close, 503, "application/problem+json", []string{"does not answer"}},
		{"Redis down, for the script", "/queues", axios, (*miniredis.Miniredis).Close, 503, "text/plain; charset=utf-8", []string{"does not answer"}},
		{"Redis down, and its own view", "/redis_info", axios, (*miniredis.Miniredis).Close, 503, "text/plain; charset=utf-8", []string{"does not answer"}},
		{"broken data in Redis", "/queues", "", func(m *miniredis.Miniredis) { m.Del("asynq:queues"); _ = m.Set("asynq:queues", "x") },
			500, "application/problem+json", []string{"the log says why"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, m := serve(t, console.Options{})
			enqueue(t, m, asynq.ProcessIn(time.Hour))
			if c.redis != nil {
				c.redis(m)
			}
			a := call(t, "GET", url+"/internal/asynq/api"+c.path, "Accept", c.accept)
			if a.status != c.status || a.contentType() != c.contentType {
				t.Errorf("got %d %s, want %d %s", a.status, a.contentType(), c.status, c.contentType)
			}
			for _, want := range c.want {
				if !strings.Contains(a.body, want) {
					t.Errorf("lacks %q: %s", want, a.body)
				}
			}
			if c.status >= 400 && strings.Contains(a.body, "WRONGTYPE") {
				t.Errorf("the answer shows what is inside: %s", a.body)
			}
		})
	}
}

// axios is what the dashboard's script accepts.
const axios = "application/json, text/plain, */*"

func TestDashboardWithoutRedis(t *testing.T) {
	url, m := serve(t, console.Options{})
	addr := m.Addr()
	m.Close()
	a := call(t, "GET", url+"/internal/asynq/queues/default?status=retry")
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || a.header.Get("Refresh") == "" {
		t.Errorf("got %d with %v", a.status, a.header)
	}
	for _, want := range []string{"Redis does not answer", addr, `href="/internal/asynq/queues/default?status=retry"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if err := m.Restart(); err != nil {
		t.Fatal(err)
	}
	apptest.Eventually(t, "the dashboard is back", func() bool {
		return call(t, "GET", url+"/internal/asynq/").status == http.StatusOK
	})
}
