package console

import (
	"net/http"
	"strconv"
)

// retryAfter is when a page that could not be shown tries again by itself, in seconds.
const retryAfter = 5

// unavailablePage is the data of templates/unavailable.html.
type unavailablePage struct {
	Redis string // its address
	URL   string // the page that was asked for
	Retry int    // seconds
}

// unavailable answers for a page that has nothing to show without Redis.
func (p *pages) unavailable(w http.ResponseWriter, r *http.Request, redis string) error {
	w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	w.Header().Set("Refresh", strconv.Itoa(retryAfter))
	return p.render(w, http.StatusServiceUnavailable, "unavailable", dashboardPath+"/",
		unavailablePage{Redis: redis, URL: r.URL.RequestURI(), Retry: retryAfter})
}
