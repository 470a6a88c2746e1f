package console_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/hibiken/asynq"

	"github.com/tandem-api/tandem/localhost/console"
	"github.com/tandem-api/tandem/shared/apptest"
)

// A user looks at the overview, goes to the dashboard, and pauses a queue, runs a job
// and deletes another, all with the mouse.
func TestBrowser(t *testing.T) {
	m := apptest.Redis(t)
	enqueue(t, m, asynq.TaskID("first"), asynq.ProcessIn(time.Hour))
	enqueue(t, m, asynq.TaskID("second"), asynq.ProcessIn(2*time.Hour))
	server := httptest.NewServer(newHandler(t, settings(m.Addr()), console.Options{EmbeddedRedis: true}))
	t.Cleanup(server.Close)
	jobs := inspector(t, m)
	b := startBrowser(t)

	b.do(chromedp.Navigate(server.URL + "/internal/"))
	b.sees("Redis is embedded.")
	if got := b.text("table tbody tr"); !strings.HasPrefix(got, "default running 0 0 2 0") {
		t.Errorf("the overview's first queue is %q", got)
	}
	b.click(`header nav a[href="/internal/asynq/"]`)

	b.sees("Tasks Processed")
	b.hover(`table[aria-label="queues overview table"] tbody td:last-child`)
	b.click(`button[title="Pause"]`)
	apptest.Eventually(t, "the queue is paused in Redis", func() bool {
		q, err := jobs.GetQueueInfo("default")
		return err == nil && q.Paused
	})
	b.sees("paused")

	b.click(`a[href="/internal/asynq/queues/default"]`)
	b.sees("Aggregating")
	b.do(chromedp.Navigate(server.URL + "/internal/asynq/queues/default?status=scheduled"))
	b.sees("slow_job")
	b.sees(`"seconds": 2`)
	const table = `table[aria-label="scheduled tasks table"] `
	b.hover(table + `tbody tr:nth-child(1) td:last-child`)
	b.click(`button[title="Run"]`)
	apptest.Eventually(t, "the first job is pending", func() bool {
		task, err := jobs.GetTaskInfo("default", "first")
		return err == nil && task.State == asynq.TaskStatePending
	})
	// The list is asked for anew after an action; until then the row is still there.
	apptest.Eventually(t, "one job is left in the list", func() bool {
		n, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](`document.querySelectorAll('`+table+`tbody tr').length`))
		return err == nil && n == 1
	})
	b.hover(table + `tbody tr:nth-child(1) th`)
	b.hover(table + `tbody tr:nth-child(1) td:last-child`)
	b.click(`button[title="Delete"]`)
	apptest.Eventually(t, "the second job is gone", func() bool {
		_, err := jobs.GetTaskInfo("default", "second")
		return err != nil
	})

	for _, view := range []string{"servers", "schedulers", "redis", "settings", "q/metrics"} {
		b.do(chromedp.Navigate(server.URL + "/internal/asynq/" + view))
		b.sees("Send Feedback")
	}
	b.click(`a[href="/internal/"]`)
	b.sees("This host")
	b.wantQuiet(20)
}

// Behind a login, the dashboard's script is let in where its page was.
func TestBrowserWithPassword(t *testing.T) {
	m := apptest.Redis(t)
	enqueue(t, m, asynq.Queue("letters"))
	c := settings(m.Addr())
	c.InternalPassword = "correct horse"
	server := httptest.NewServer(newHandler(t, c, console.Options{}))
	t.Cleanup(server.Close)
	b := startBrowser(t)
	b.do(chromedp.Navigate(strings.Replace(server.URL, "http://", "http://anyone:correct%20horse@", 1) + "/internal/"))
	b.sees("This host")
	b.do(chromedp.Navigate(server.URL + "/internal/asynq/"))
	b.sees("letters")
	b.wantQuiet(7)
}

// browser is a page of a headless Chromium, and what it asked for.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	requests []string // the URLs that the pages asked for
	errors   []string // what went wrong in the pages
}

// startBrowser starts a Chromium with a profile of its own. Without one it skips the
// test, save in CI, where there has to be one.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	if !slices.ContainsFunc([]string{"headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome"}, func(name string) bool {
		_, err := exec.LookPath(name)
		return err == nil
	}) {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Chromium on the PATH, and CI has to have one")
		}
		t.Skip("SKIPPED: no Chromium on the PATH. Install one to see the pages in a browser (Debian: apt-get install chromium).")
	}
	b := &browser{t: t}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true),
		// Whatever a page asks for, nothing leaves this machine.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	b.ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		return err
	}), chromedp.EmulateViewport(1400, 1000))
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			b.errors = append(b.errors, fmt.Sprintf("%d for %s", e.Response.Status, e.Response.URL))
		}
	case *network.EventLoadingFailed:
		if e.BlockedReason != "" { // by the Content-Security-Policy, for one
			b.errors = append(b.errors, fmt.Sprintf("%s blocked: %s", e.Type, e.BlockedReason))
		}
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, e.ExceptionDetails.Text)
	}
}

// wantQuiet checks that the pages asked nobody but this machine, that many times at
// least, and that nothing went wrong in them.
func (b *browser) wantQuiet(atLeast int) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.requests) < atLeast {
		b.t.Errorf("only %d requests were seen: %q", len(b.requests), b.requests)
	}
	for _, r := range b.requests {
		u, err := url.Parse(r)
		if err != nil || u.Scheme == "data" {
			continue
		}
		if addr, err := netip.ParseAddr(u.Hostname()); err != nil || !addr.IsLoopback() {
			b.t.Errorf("a page asked another host: %s", r)
		}
	}
	for _, e := range b.errors {
		b.t.Errorf("in the browser: %s", e)
	}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// text returns what the first element says, with single spaces.
func (b *browser) text(selector string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.Join(strings.Fields(text), " ")
}

// sees waits until the page shows the text.
func (b *browser) sees(text string) {
	b.t.Helper()
	var page string
	apptest.Eventually(b.t, fmt.Sprintf("the page shows %q", text), func() bool {
		var err error
		page, err = chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.body.innerText"))
		return err == nil && strings.Contains(page, text)
	})
}

func (b *browser) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// hover moves the mouse to the middle of the element.
func (b *browser) hover(selector string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.CSS(selector)))
	at, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]float64](`(() => {
		const r = document.querySelector(`+"`"+selector+"`"+`).getBoundingClientRect()
		return [r.x + r.width / 2, r.y + r.height / 2]
	})()`))
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.MouseEvent(chromedp.MouseMoved, at[0], at[1]))
}
