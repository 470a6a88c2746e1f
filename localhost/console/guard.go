package console

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
)

// guard decides who may see the pages. Without a password: programs of this machine,
// asking it by a name of its own. With one: who knows it, from anywhere. And nobody's
// web page may act through a visitor's browser, in either case.
type guard struct {
	app      *function.App
	password *[sha256.Size]byte // nil: none is set
	host     string             // the host of the address that we listen on
	origins  *http.CrossOriginProtection
	throttle *throttle
}

func newGuard(app *function.App) *guard {
	g := &guard{
		app:      app,
		host:     hostname(app.Config.Addr),
		origins:  http.NewCrossOriginProtection(),
		throttle: newThrottle(),
	}
	if p := app.Config.InternalPassword.Reveal(); p != "" {
		sum := sha256.Sum256([]byte(p))
		g.password = &sum
	}
	return g
}

func (g *guard) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := g.check(r); err != nil {
			g.app.Fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// check returns nil, or why the request is refused: an *httperror.Error.
func (g *guard) check(r *http.Request) error {
	admit := g.local
	if g.password != nil {
		admit = g.login
	}
	if err := admit(r); err != nil {
		return err
	}
	if err := g.origins.Check(r); err != nil {
		return httperror.New(http.StatusForbidden,
			"The request comes from a page of another origin, which may not change anything here.").Because(err)
	}
	return nil
}

// local admits the programs of this machine.
func (g *guard) local(r *http.Request) error {
	const remedy = " Set INTERNAL_PASSWORD to open the pages to others, with a login."
	switch {
	case !remote(r).IsLoopback():
		return httperror.New(http.StatusForbidden, "The internal pages are served to this machine only."+remedy)
	case forwarded(r):
		return httperror.New(http.StatusForbidden,
			"The request came through a proxy, so that it may be from anywhere, and the internal pages are served to this machine only."+remedy)
	case !g.ownName(r.Host):
		// A foreign name that resolves to this machine is how a web page elsewhere
		// would read these pages: DNS rebinding.
		return httperror.New(http.StatusForbidden, "The internal pages are not served under this host name: use localhost."+remedy)
	}
	return nil
}

// forwarded tells a request that a proxy passed on. Proxies say so in a header, save
// for nginx with its defaults of before version 1.29.7: that one speaks HTTP/1.0.
func forwarded(r *http.Request) bool {
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return true
		}
	}
	return !r.ProtoAtLeast(1, 1)
}

// ownName says whether the Host header names this machine: a loopback name or address
// (RFC 6761, section 6.3), or the host that we were told to listen on.
func (g *guard) ownName(hostport string) bool {
	host := hostname(hostport)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || (host != "" && host == g.host) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// login admits who knows the password; the user's name is free.
func (g *guard) login(r *http.Request) error {
	_, given, ok := r.BasicAuth()
	if !ok {
		return unauthorized("The internal pages need a login: any user name, and the password in INTERNAL_PASSWORD.")
	}
	// Hashes of one length: the time to compare them tells nothing of the password.
	sum := sha256.Sum256([]byte(given))
	right := subtle.ConstantTimeCompare(sum[:], g.password[:]) == 1
	from := remote(r)
	if wait := g.throttle.attempt(from, right); wait > 0 {
		return httperror.New(http.StatusTooManyRequests, "Too many wrong passwords came from your address. Try again later.").
			With("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	if !right {
		g.app.Log.WarnContext(r.Context(), "wrong password for the internal pages", slog.String("from", from.String()))
		return unauthorized("The password is wrong.")
	}
	return nil
}

func unauthorized(detail string) error {
	return httperror.New(http.StatusUnauthorized, "%s", detail).
		With("WWW-Authenticate", `Basic realm="Tandem internal pages", charset="UTF-8"`)
}

// remote returns the caller's address, or the zero Addr, which is not a loopback one.
func remote(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// hostname returns the host of host[:port] in lower case, without brackets and the
// dot of a full name.
func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
