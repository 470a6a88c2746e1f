package console

import "net/http"

// pagePolicy is the Content-Security-Policy of our own pages: style sheets and pictures
// of this origin, and nothing else. The dashboard has its own.
const pagePolicy = "default-src 'none'; style-src 'self'; img-src 'self'; " + framePolicy

// framePolicy is the part that all pages share: no frames, no foreign base, no forms
// that lead elsewhere.
const framePolicy = "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// securityHeaders puts the headers on every answer, errors and refusals included, that
// keep what is internal out of caches, frames and foreign pages.
func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(&uncached{ResponseWriter: w}, r)
	})
}

// uncached marks the answer as not to be stored, at the last moment: an error answer
// drops the caching headers that were set before it.
type uncached struct {
	http.ResponseWriter
	wrote bool
}

func (u *uncached) WriteHeader(status int) {
	if !u.wrote {
		u.wrote = true
		u.Header().Set("Cache-Control", "no-store")
	}
	u.ResponseWriter.WriteHeader(status)
}

func (u *uncached) Write(p []byte) (int, error) {
	if !u.wrote {
		u.WriteHeader(http.StatusOK)
	}
	return u.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the writer below.
func (u *uncached) Unwrap() http.ResponseWriter { return u.ResponseWriter }
