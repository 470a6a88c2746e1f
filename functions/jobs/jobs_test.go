package jobs_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-api/tandem/functions/jobs"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/queue"
	"github.com/tandem-api/tandem/shared/queue/inspect"
	"github.com/tandem-api/tandem/shared/queue/worker"
	"github.com/tandem-api/tandem/shared/workers"
)

// client asks the jobs function, logged in as the user, or not at all.
type client struct {
	t    *testing.T
	app  *apptest.App
	url  string
	user string
}

func newClient(t *testing.T) client {
	t.Helper()
	app := apptest.New(t)
	return client{t, app, app.Serve(jobs.Function), "ada"}
}

func (c client) as(user string) client {
	c.user = user
	return c
}

func (c client) do(method, path, body string) apptest.Answer {
	c.t.Helper()
	h := http.Header{"Content-Type": {"application/json"}}
	if c.user != "" {
		h.Set("Authorization", "Bearer "+c.app.Token(c.user))
	}
	return apptest.Do(c.t, method, c.url+path, body, h)
}

// ask asks for a job and returns its path.
func (c client) ask(body string) string {
	c.t.Helper()
	got := c.do("POST", "/jobs", body)
	if got.Status != http.StatusAccepted {
		c.t.Fatalf("%d %s", got.Status, got.Body)
	}
	return got.Header.Get("Location")
}

func (c client) job(path string) inspect.Job {
	c.t.Helper()
	got := c.do("GET", path, "")
	if got.Status != http.StatusOK {
		c.t.Fatalf("%d %s", got.Status, got.Body)
	}
	var j inspect.Job
	if err := json.Unmarshal([]byte(got.Body), &j); err != nil {
		c.t.Fatal(err)
	}
	return j
}

func (c client) work() {
	c.t.Helper()
	if err := worker.Run(c.t.Context(), c.app.App, workers.All(), worker.Options{Burst: true}); err != nil {
		c.t.Fatal(err)
	}
}

func TestAskForAJobAndFollowIt(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	got := c.do("POST", "/jobs", `{"kind":"slow_job","args":{"seconds":0}}`)
	path := got.Header.Get("Location")
	id := strings.TrimPrefix(path, "/jobs/")
	if want := `{"id":"` + id + `","kind":"slow_job","queue":"default","state":"pending"}`; got.Status != 202 || id == "" || got.Body != want {
		t.Fatalf("%d %s, want 202 %s", got.Status, got.Body, want)
	}
	if j := c.as("").job(path); j.State != "pending" || j.Attempts != 0 || j.EnqueuedAt == nil {
		t.Errorf("before: %+v", j)
	}
	c.work()
	j := c.as("").job(path)
	if j.State != "completed" || j.Attempts != 1 || string(j.Result) != `{"slept":0}` || string(j.Args) != `{"seconds":0}` || j.CompletedAt == nil {
		t.Errorf("afterwards: %+v", j)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, options string
		want          func(j inspect.Job) bool
	}{
		{"queue", `"queue":"low"`, func(j inspect.Job) bool { return j.Queue == "low" }},
		{"delay", `"delay":3600`, func(j inspect.Job) bool { return j.State == "scheduled" && time.Until(*j.RunAt) > 59*time.Minute }},
		{"no delay", `"delay":0`, func(j inspect.Job) bool { return j.State == "pending" }},
		{"at", `"at":"2099-01-01T08:00:00+01:00"`, func(j inspect.Job) bool {
			return j.State == "scheduled" && j.RunAt.Equal(time.Date(2099, 1, 1, 7, 0, 0, 0, time.UTC))
		}},
		{"retries", `"retries":7`, func(j inspect.Job) bool { return j.MaxAttempts == 8 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			if j := c.job(c.ask(`{"kind":"slow_job","args":{"seconds":1},` + tt.options + `}`)); !tt.want(j) {
				t.Errorf("got %+v", j)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	tests := []struct {
		name, method, path, body, user string
		status                         int
		pointer                        string
	}{
		{"no login", "POST", "/jobs", `{"kind":"slow_job","args":{"seconds":1}}`, "", 401, ""},
		{"no login for the list", "GET", "/jobs", "", "", 401, ""},
		{"no login to cancel", "DELETE", "/jobs/x", "", "", 401, ""},
		{"an unknown kind", "POST", "/jobs", `{"kind":"fast_job","args":{"seconds":1}}`, "ada", 422, "/kind"},
		{"no kind", "POST", "/jobs", `{"args":{"seconds":1}}`, "ada", 422, "/kind"},
		{"no arguments", "POST", "/jobs", `{"kind":"slow_job"}`, "ada", 422, "/args"},
		{"too few arguments", "POST", "/jobs", `{"kind":"slow_job","args":{}}`, "ada", 422, "/args/seconds"},
		{"too long", "POST", "/jobs", `{"kind":"slow_job","args":{"seconds":61}}`, "ada", 422, "/args/seconds"},
		{"below none", "POST", "/jobs", `{"kind":"slow_job","args":{"seconds":-1}}`, "ada", 422, "/args/seconds"},
		{"in words", "POST", "/jobs", `{"kind":"slow_job","args":{"seconds":"two"}}`, "ada", 422, "/args/seconds"},
		{"a member that the arguments do not know", "POST", "/jobs", `{"kind":"slow_job","args":{"seconds":1,"minutes":1}}`, "ada", 422, "/args/minutes"},
		{"whole, but written as a fraction", "POST", "/jobs", `{"kind":"slow_job","args":{"seconds":1.0}}`, "ada", 422, "/args"},
		{"an unknown queue", "POST", "/jobs", `{"kind":"slow_job","args":{"seconds":1},"queue":"x"}`, "ada", 422, "/queue"},
		{"an unknown option", "POST", "/jobs", `{"kind":"slow_job","args":{"seconds":1},"id":"x"}`, "ada", 422, "/id"},
		{"a delay below none", "POST", "/jobs", `{"kind":"slow_job","args":{"seconds":1},"delay":-1}`, "ada", 422, "/delay"},
		{"a time that is none", "POST", "/jobs", `{"kind":"slow_job","args":{"seconds":1},"at":"tomorrow"}`, "ada", 422, "/at"},
		{"a delay and a time", "POST", "/jobs", `{"kind":"slow_job","args":{"seconds":1},"delay":1,"at":"2099-01-01T00:00:00Z"}`, "ada", 422, "/at"},
		{"no JSON", "POST", "/jobs", `hello`, "ada", 400, ""},
		{"an unknown job", "GET", "/jobs/none", "", "ada", 404, ""},
		{"an unknown job to cancel", "DELETE", "/jobs/none", "", "ada", 404, ""},
		{"an unknown queue of the list", "GET", "/jobs?queue=x", "", "ada", 400, ""},
		{"an unknown state of the list", "GET", "/jobs?state=x", "", "ada", 400, ""},
		{"a limit of none", "GET", "/jobs?limit=0", "", "ada", 400, ""},
		{"a limit too high", "GET", "/jobs?limit=101", "", "ada", 400, ""},
		{"a cursor that is none", "GET", "/jobs?cursor=x", "", "ada", 400, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := c.as(tt.user).do(tt.method, tt.path, tt.body)
			if got.Status != tt.status || got.Header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("%d %s, want %d", got.Status, got.Body, tt.status)
			}
			if tt.pointer != "" && !strings.Contains(got.Body, `"pointer":"`+tt.pointer+`"`) {
				t.Errorf("%s does not point to %s", got.Body, tt.pointer)
			}
		})
	}
	if reports := c.app.Reports(); len(reports) > 0 {
		t.Errorf("the client's mistakes were reported: %+v", reports)
	}
}

func TestUnique(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	first := c.ask(`{"kind":"slow_job","args":{"seconds":1},"unique":true}`)
	again := c.do("POST", "/jobs", `{"kind":"slow_job","args":{ "seconds" : 1 },"unique":true}`)
	if again.Status != http.StatusConflict || again.Header.Get("Location") != first {
		t.Errorf("%d %s at %q, want 409 at %q", again.Status, again.Body, again.Header.Get("Location"), first)
	}
	c.ask(`{"kind":"slow_job","args":{"seconds":2},"unique":true}`)
	c.ask(`{"kind":"slow_job","args":{"seconds":1}}`)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	path := c.ask(`{"kind":"slow_job","args":{"seconds":1}}`)
	if got := c.as("bob").do("DELETE", path, ""); got.Status != http.StatusForbidden {
		t.Errorf("somebody else's job: %d %s", got.Status, got.Body)
	}
	if got := c.do("DELETE", path, ""); got.Status != http.StatusNoContent {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := c.do("GET", path, ""); got.Status != http.StatusNotFound {
		t.Errorf("afterwards: %d %s", got.Status, got.Body)
	}
}

// A job is the user's, whatever the name is by now, and shows the name that it has now.
func TestAJobGoesByTheIDOfItsUser(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	as := func(name string, id int64, method, path, body string) apptest.Answer {
		token, _, err := auth.Begin(name, id, "").Token(c.app.Config)
		if err != nil {
			t.Fatal(err)
		}
		return apptest.Do(t, method, c.url+path, body, http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}})
	}
	path := as("ada", 1, "POST", "/jobs", `{"kind":"slow_job","args":{"seconds":1}}`).Header.Get("Location")
	if got := as("ada", 2, "GET", "/jobs", ""); strings.Contains(got.Body, `"args"`) || strings.Contains(got.Body, `"by"`) {
		t.Errorf("another, who has the name now, sees %s", got.Body)
	}
	if got := as("ada", 2, "DELETE", path, ""); got.Status != http.StatusForbidden {
		t.Errorf("another, who has the name now, cancels it: %d", got.Status)
	}
	if got := as("Ada L.", 1, "GET", "/jobs", ""); !strings.Contains(got.Body, `"args"`) || !strings.Contains(got.Body, `"by":"Ada L."`) {
		t.Errorf("the user, renamed, sees %s", got.Body)
	}
	if got := as("Ada L.", 1, "DELETE", path, ""); got.Status != http.StatusNoContent {
		t.Errorf("the user, renamed, cancels it: %d", got.Status)
	}
}

func TestCancelOneThatRuns(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	path := c.ask(`{"kind":"slow_job","args":{"seconds":60}}`)
	var done sync.WaitGroup
	done.Go(c.work) // it ends when the job does
	defer done.Wait()
	apptest.Eventually(t, "the job runs", func() bool { return c.job(path).State == "active" })
	apptest.Eventually(t, "the job has stopped", func() bool {
		if got := c.do("DELETE", path, ""); got.Status != http.StatusAccepted {
			return got.Status == http.StatusNoContent
		}
		j := c.job(path)
		return j.State == "archived" && j.Error == "cancelled"
	})
}

func TestList(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for range 3 {
		c.ask(`{"kind":"slow_job","args":{"seconds":1}}`)
	}
	c.as("bob").ask(`{"kind":"slow_job","args":{"seconds":7},"queue":"low"}`)
	seen, pages := 0, 0
	for next := "/jobs?limit=2"; next != ""; pages++ {
		got := c.do("GET", next, "")
		var page inspect.Page
		if err := json.Unmarshal([]byte(got.Body), &page); err != nil || got.Status != 200 || len(page.Jobs) > 2 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		for _, j := range page.Jobs {
			if mine := j.Queue == "default"; (string(j.Args) != "") != mine || (j.ID != "") != mine {
				t.Errorf("mine: %t, and it shows %q, %s", mine, j.ID, j.Args)
			}
			seen++
		}
		next = ""
		if page.Next != "" {
			next = "/jobs?limit=2&cursor=" + page.Next
		}
	}
	if seen != 4 || pages != 2 {
		t.Errorf("%d jobs in %d pages, want 4 in 2", seen, pages)
	}
	if got := c.do("GET", "/jobs?queue=low&state=scheduled", ""); got.Body != `{"jobs":[]}` {
		t.Errorf("an empty list is %s", got.Body)
	}
}

func TestPrivateKindsShowNothing(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	secret := queue.Job[string]{Kind: "private", Do: func(context.Context, *function.App, string) error { return nil }}
	info, err := secret.Enqueue(t.Context(), c.app.App, "hidden")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/jobs/" + info.ID, "/jobs"} {
		if got := c.do("GET", path, ""); got.Status != 200 || strings.Contains(got.Body, "hidden") || !strings.Contains(got.Body, info.ID) {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
	if got := c.do("DELETE", "/jobs/"+info.ID, ""); got.Status != http.StatusForbidden {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := c.do("POST", "/jobs", `{"kind":"private","args":"hidden"}`); got.Status != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestRedisIsDown(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.app.Redis.Close()
	for _, r := range [][3]string{
		{"POST", "/jobs", `{"kind":"slow_job","args":{"seconds":1}}`}, {"GET", "/jobs/x", ""}, {"GET", "/jobs", ""}, {"DELETE", "/jobs/x", ""},
	} {
		if got := c.do(r[0], r[1], r[2]); got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s %s: %d %s", r[0], r[1], got.Status, got.Body)
		}
	}
}

func TestRefusesToStartWithoutASecret(t *testing.T) {
	app := apptest.New(t, func(c *config.Config) { c.AuthSecrets = nil })
	if _, err := jobs.Function.Handler(app.App); err == nil || !strings.Contains(err.Error(), auth.ErrNoSecret.Error()) {
		t.Errorf("error %v, want %v", err, auth.ErrNoSecret)
	}
}
