package console

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/hibiken/asynqmon"
	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
)

// dashboard is asynqmon, mended: its page asks no other machine for anything, its
// files have their types, and its errors are clear ones.
type dashboard struct {
	app    *function.App
	rdb    redis.UniversalClient
	mon    http.Handler
	pages  *pages
	index  []byte // its page, as asynqmon has it
	page   []byte // its page, as we serve it
	policy string // the Content-Security-Policy of that page
}

func newDashboard(app *function.App, rdb redis.UniversalClient, p *pages) (*dashboard, error) {
	d := &dashboard{app: app, rdb: rdb, pages: p, mon: asynqmon.New(asynqmon.Options{
		RootPath:     dashboardPath,
		RedisConnOpt: connection{rdb},
	})}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, dashboardPath+"/", nil)
	if err != nil {
		return nil, err
	}
	answer := d.ask(r)
	if answer.status != http.StatusOK {
		return nil, fmt.Errorf("the dashboard has no page: status %d", answer.status)
	}
	d.index = answer.body.Bytes()
	d.page, d.policy = mendPage(d.index)
	return d, nil
}

// connection hands the App's own client to asynqmon. Nobody calls asynqmon's Close,
// which would close the client: the App closes it.
type connection struct{ rdb redis.UniversalClient }

func (c connection) MakeRedisClient() any { return c.rdb }

func (d *dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, dashboardPath)
	fileType := fileType(name)
	switch {
	case strings.HasPrefix(name, "/api/"):
		d.app.Handle(d.serveAPI)(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		d.app.Fail(w, r, httperror.New(http.StatusNotFound, ""))
	case strings.HasPrefix(name, "/static/"), fileType != "" && strings.Count(name, "/") == 1:
		d.serveFile(w, r, fileType)
	default:
		// Every other path is a view of the page, which its script tells apart.
		d.app.Handle(d.servePage)(w, r)
	}
}

func (d *dashboard) servePage(w http.ResponseWriter, r *http.Request) error {
	if err := d.ping(r.Context()); err != nil {
		return d.pages.unavailable(w, r, address(d.rdb))
	}
	w.Header().Set("Content-Security-Policy", d.policy)
	serveBytes(w, r, "text/html; charset=utf-8", d.page)
	return nil
}

// ping says whether Redis answers, within a second.
func (d *dashboard) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	err := d.rdb.Ping(ctx).Err()
	if err != nil {
		d.app.Log.WarnContext(ctx, "the job dashboard cannot reach Redis", "error", err)
	}
	return err
}

// fileType returns the media type of a page's file, by its name, or "" where no page
// has such files.
func fileType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".ico":
		return "image/x-icon"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".png":
		return "image/png"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return ""
}

func (d *dashboard) serveFile(w http.ResponseWriter, r *http.Request, fileType string) {
	whole := r.Clone(r.Context())
	whole.Method = http.MethodGet
	file := d.ask(whole)
	// For a file that it does not have, asynqmon answers with its page.
	if file.status != http.StatusOK || fileType == "" || bytes.Equal(file.body.Bytes(), d.index) {
		d.app.Fail(w, r, httperror.New(http.StatusNotFound, ""))
		return
	}
	serveBytes(w, r, fileType, file.body.Bytes())
}

func serveBytes(w http.ResponseWriter, r *http.Request, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// ask has asynqmon answer the request, and returns the answer.
func (d *dashboard) ask(r *http.Request) *answer {
	a := &answer{header: http.Header{}}
	d.mon.ServeHTTP(a, r)
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a
}

// answer is an http.ResponseWriter that keeps what is written.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}
