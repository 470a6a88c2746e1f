package login

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/ratelimit"
)

// How often one may try: a name from one address, so that guessing stops early; a
// name from anywhere, so that many addresses do not help, and yet a stranger cannot so
// easily lock a user out; an address, whatever the names.
var (
	perNameAndAddress = ratelimit.Limit{Name: "login:both", Attempts: 5, Window: 5 * time.Minute}
	perName           = ratelimit.Limit{Name: "login:name", Attempts: 50, Window: time.Hour}
	perAddress        = ratelimit.Limit{Name: "login:address", Attempts: 50, Window: 5 * time.Minute}
)

type attempt struct {
	limit ratelimit.Limit
	who   string
}

// attempts are in the order they are counted in: the first that refuses ends it. So the
// name comes last: what an address may not even try must not count against the name, or
// one stranger would lock a user out everywhere.
func attempts(r *http.Request, name string) []attempt {
	from := address(r)
	return []attempt{
		{perAddress, from},
		{perNameAndAddress, name + "\x00" + from},
		{perName, name},
	}
}

// count counts an attempt, and refuses it where there were too many. Where Redis does
// not count, nobody logs in: or whoever stops Redis could guess without end.
func count(app *function.App, r *http.Request, name string) error {
	for _, a := range attempts(r, name) {
		wait, err := a.limit.Attempt(r.Context(), app, a.who)
		switch {
		case err != nil:
			return httperror.New(http.StatusServiceUnavailable, "logins are not possible at the moment").
				With("Retry-After", "5").Because(err)
		case wait > 0:
			app.Log.WarnContext(r.Context(), "too many logins", "limit", a.limit.Name)
			return httperror.New(http.StatusTooManyRequests, "too many attempts to log in").
				With("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		}
	}
	return nil
}

// forget takes back what a user's own mistakes have counted. What stands against the
// address stays: it may be guessing other names beside its own.
func forget(app *function.App, r *http.Request, name string) error {
	for _, a := range attempts(r, name)[1:] {
		if err := a.limit.Forget(r.Context(), app, a.who); err != nil {
			return fmt.Errorf("after a login: %w", err)
		}
	}
	return nil
}

// address is where the request comes from. An IPv6 address stands for its /64, which
// is what one customer has.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		return ip.Mask(net.CIDRMask(64, 128)).String()
	}
	return host
}
