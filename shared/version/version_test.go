package version_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/version"
)

func TestOf(t *testing.T) {
	const latest = 3
	notFound := -1
	for _, c := range []struct {
		name, path string
		want       int
	}{
		{"the first", "/v1/foo", 1},
		{"one between", "/v2/foo", 2},
		{"the latest", "/v3/foo", 3},
		{"above the latest", "/v4/foo", 3},
		{"zero", "/v0/foo", 3},
		{"leading zeros", "/v0001/foo", 1},
		{"above any int", "/v" + strings.Repeat("9", 400) + "/foo", 3},
		{"encoded digit", "/v%31/foo", 1},
		{"letters", "/vx/foo", notFound},
		{"digits and letters", "/v1a/foo", notFound},
		{"negative", "/v-1/foo", notFound},
		{"signed", "/v+1/foo", notFound},
		{"fraction", "/v1.0/foo", notFound},
		{"hexadecimal", "/v0x1/foo", notFound},
		{"separator", "/v1_0/foo", notFound},
		{"space", "/v%201/foo", notFound},
		{"digits of another script", "/v%D9%A1/foo", notFound},
		{"encoded slash", "/v1%2F/foo", notFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := 0, error(nil)
			r := chi.NewRouter()
			r.Get("/v{version}/foo", func(_ http.ResponseWriter, r *http.Request) {
				got, err = version.Of(r, latest)
			})
			r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", c.path, nil))
			switch {
			case c.want == notFound:
				if httperror.Status(err) != http.StatusNotFound || got != 0 {
					t.Errorf("got %d, %v; want a 404", got, err)
				}
			case got != c.want || err != nil:
				t.Errorf("got %d, %v; want %d", got, err, c.want)
			}
		})
	}
}

func TestOfWithoutTheVariable(t *testing.T) {
	if _, err := version.Of(httptest.NewRequest("GET", "/foo", nil), 2); httperror.Status(err) != http.StatusNotFound {
		t.Errorf("got %v; want a 404", err)
	}
}

func TestDeprecate(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Link", `</docs>; rel="help"`)
	version.Deprecate(w, time.Date(2026, time.November, 1, 2, 0, 0, 0, time.FixedZone("CET", 3600)), "/v2/foo")

	if got, want := w.Header().Get("Deprecation"), "@1793494800"; got != want {
		t.Errorf("Deprecation %q; want %q", got, want)
	}
	want := []string{`</docs>; rel="help"`, `</v2/foo>; rel="successor-version"`}
	if got := w.Header().Values("Link"); !slices.Equal(got, want) {
		t.Errorf("Link %q; want %q", got, want)
	}
}
