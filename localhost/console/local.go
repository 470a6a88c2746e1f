package console

import (
	"net/http"

	"github.com/tandem-api/tandem/shared/config"
)

// FromHere says whether a request is from a program of this machine, which asks it by
// a name of its own: who may see the pages where there is no password. It is for what
// the host serves beside the pages, and that others must not reach either.
func FromHere(c config.Config, r *http.Request) bool {
	g := guard{host: hostname(c.Addr)}
	return g.local(r) == nil
}
