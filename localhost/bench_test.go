package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/server"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/apptest"
)

// repeated is a template of so many functions: ours, again and again, each with a few
// routes of its own.
func repeated(n int) []byte {
	var b strings.Builder
	b.WriteString("Parameters:\n  DatabaseUrl: {Type: String, NoEcho: true}\nResources:\n")
	all := functions()
	for i := range n {
		fmt.Fprintf(&b, `  Function%d:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/%s/bootstrap
      Environment: {Variables: {ENVIRONMENT: development, DATABASE_URL: !Ref DatabaseUrl}}
      Events:
        List: {Type: HttpApi, Properties: {Method: GET, Path: "/things%d"}}
        One: {Type: HttpApi, Properties: {Method: GET, Path: "/things%d/{id}"}}
        Part: {Type: HttpApi, Properties: {Method: PUT, Path: "/things%d/{id}/parts/{part}"}}
`, i, all[i%len(all)].Name, i, i, i)
	}
	return []byte(b.String())
}

// BenchmarkStart is what `serve` does between its start and its first request, but for
// what it waits for: Redis and the database.
func BenchmarkStart(b *testing.B) {
	for _, n := range []int{10, 200} {
		b.Run(fmt.Sprintf("functions=%d", n), func(b *testing.B) {
			dir := b.TempDir()
			write(b, dir, "template.yaml", string(repeated(n)))
			flags := cli.TemplateFlags{Path: filepath.Join(dir, "template.yaml")}
			lookup := map[string]string{"AUTH_SECRET": strings.Repeat("x", 32)}
			h := cli.Host{Functions: functions(), Lookup: func(key string) (string, bool) { v, ok := lookup[key]; return v, ok }}
			app := apptest.New(b).App
			for b.Loop() {
				read, err := flags.Read(h, "", false)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := server.Handler(h, app, read.Template); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRouting is a request to the last of so many functions.
func BenchmarkRouting(b *testing.B) {
	for _, n := range []int{10, 200, 1000} {
		b.Run(fmt.Sprintf("functions=%d", n), func(b *testing.B) {
			described, err := template.Parse("template.yaml", repeated(n), template.Options{})
			if err != nil {
				b.Fatal(err)
			}
			h, err := server.Handler(cli.Host{Functions: functions()}, apptest.New(b).App, described)
			if err != nil {
				b.Fatal(err)
			}
			r := httptest.NewRequest("GET", fmt.Sprintf("/things%d/7", n-1), nil)
			for b.Loop() {
				r.Header = http.Header{}
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
