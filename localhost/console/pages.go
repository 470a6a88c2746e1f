package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/httperror"
)

//go:embed templates/*.html static
var files embed.FS

// pages renders the pages within their layout. A page is templates/NAME.html, which
// defines "title" and "main", and a file NAME.go with its handler.
type pages struct {
	byName      map[string]*template.Template
	environment string
	links       []Link
}

func newPages(c config.Config, o Options) (*pages, error) {
	p := &pages{byName: map[string]*template.Template{}, environment: c.Environment, links: links(c, o)}
	for _, name := range []string{"overview", "unavailable"} {
		t, err := template.New("layout.html").ParseFS(files, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", name, err)
		}
		p.byName[name] = t
	}
	return p, nil
}

// supervisorURL is supervisord's own page: see supervisord.conf.
const supervisorURL = "http://127.0.0.1:9001"

// links lists the pages beside the overview.
func links(c config.Config, o Options) []Link {
	all := []Link{{"Jobs", dashboardPath + "/", "the queues and their jobs: look, run, archive, delete, pause"}}
	if o.Metrics != nil {
		all = append(all, Link{"Metrics", metricsPath, "numbers for Prometheus"})
	}
	all = append(all, Link{"Health", "/health", "each dependency’s state, as load balancers see it"})
	if c.Supervised {
		all = append(all, Link{"Processes", supervisorURL, "supervisor’s page, on this machine only: restart, stop, logs"})
	}
	return append(all, o.Links...)
}

// layout is the data of templates/layout.html.
type layout struct {
	Environment string
	Nav         []Link
	Current     string // the URL of the page that is shown
	Page        any    // the data of the page
}

// render answers with the page. It renders first: a fault is an error, and no
// half-written page.
func (p *pages) render(w http.ResponseWriter, status int, name, current string, page any) error {
	nav := append([]Link{{Title: "Overview", URL: Root}}, p.links...)
	var body bytes.Buffer
	if err := p.byName[name].Execute(&body, layout{p.environment, nav, current, page}); err != nil {
		return fmt.Errorf("render page %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // it fails only when the client has gone
	return nil
}

// serveStatic answers with a style sheet or a picture.
func serveStatic(w http.ResponseWriter, r *http.Request) error {
	name := path.Base(chi.URLParam(r, "name"))
	body, err := files.ReadFile("static/" + name)
	if err != nil {
		return httperror.New(http.StatusNotFound, "")
	}
	serveBytes(w, r, fileType(name), body)
	return nil
}
