package console

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tandem-api/tandem/shared/function"
)

// overview is the page at /internal/: what runs here, and where everything is.
type overview struct {
	app     *function.App
	o       Options
	rdb     redis.UniversalClient
	queues  *queues
	pages   *pages
	started time.Time
}

func newOverview(app *function.App, o Options, rdb redis.UniversalClient, p *pages, started time.Time) *overview {
	if o.Version == "" {
		o.Version = buildVersion()
	}
	return &overview{app: app, o: o, rdb: rdb, queues: newQueues(rdb), pages: p, started: started}
}

// overviewPage is the data of templates/overview.html.
type overviewPage struct {
	Version, Go, Addr string
	Uptime            string
	Started           time.Time
	Redis             string // its address
	Embedded          bool
	Workers           int // jobs at once in this process
	Jobs              jobs
	RedisDown         bool // it does not answer
	Unread            bool // Jobs is empty because it could not be read
	Routes            []Route
	Links             []Link
	Password          bool
}

func (o *overview) serve(w http.ResponseWriter, r *http.Request) error {
	c := o.app.Config
	p := overviewPage{
		Version:  o.o.Version,
		Go:       strings.TrimPrefix(runtime.Version(), "go"),
		Addr:     c.Addr,
		Uptime:   uptime(time.Since(o.started)),
		Started:  o.started.UTC(),
		Redis:    address(o.rdb),
		Embedded: o.o.EmbeddedRedis,
		Workers:  o.o.Workers,
		Routes:   o.o.Routes,
		Links:    o.pages.links,
		Password: c.InternalPassword != "",
	}
	jobs, err := o.queues.read(r.Context())
	if err != nil {
		o.app.Log.WarnContext(r.Context(), "the overview cannot read the queues", "error", err)
		p.RedisDown = errors.Is(err, errNoAnswer)
	}
	p.Jobs, p.Unread = jobs, err != nil
	return o.pages.render(w, http.StatusOK, "overview", Root, p)
}

// URL returns where a GET of the route leads, or "" where it takes more than a click.
func (r Route) URL() string {
	if (r.Method == http.MethodGet || r.Method == "ANY") && !strings.Contains(r.Path, "{") {
		return r.Path
	}
	return ""
}

// uptime writes a duration in its two largest units: 3 days 4 h, 4 h 12 min, 12 min 5 s.
func uptime(d time.Duration) string {
	s := int(d.Seconds())
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 60*60:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	case s < 24*60*60:
		return fmt.Sprintf("%d h %d min", s/3600, s/60%60)
	case s < 2*24*60*60:
		return fmt.Sprintf("1 day %d h", s/3600%24)
	}
	return fmt.Sprintf("%d days %d h", s/86400, s/3600%24)
}

// buildVersion returns the module's version, the commit, or that it is unknown.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return "development build"
}
