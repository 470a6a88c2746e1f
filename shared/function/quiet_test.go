package function_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

func TestQuiet(t *testing.T) {
	for _, c := range []struct {
		name, method, path string
		quiet, logged      bool
	}{
		{"a read", "GET", "/", false, true},
		{"a quiet read", "GET", "/", true, false},
		{"a quiet read that fails", "GET", "/nothing", true, true},
		{"a change, even so", "POST", "/", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log strings.Builder
			f := function.Function{Name: "polled", Quiet: c.quiet, Routes: func(_ *function.App, r chi.Router) error {
				r.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
				return nil
			}}
			h, err := f.Handler(function.New(config.Config{LogFormat: "json"}, &log))
			if err != nil {
				t.Fatal(err)
			}
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(c.method, c.path, nil))
			if logged := strings.Contains(log.String(), `"msg":"request"`); logged != c.logged {
				t.Errorf("logged: %v, want %v\n%s", logged, c.logged, log.String())
			}
		})
	}
}
