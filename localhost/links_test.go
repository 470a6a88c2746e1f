package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/shared/apptest"
)

// A function's binary links only what it uses: what an import costs at a cold start, it
// costs every function that has it.
func TestBootstrapsLinkOnlyWhatTheyUse(t *testing.T) {
	const (
		gorm, sqlite, postgres = "gorm.io/gorm", "github.com/glebarez/sqlite", "github.com/jackc/pgx/v5"
		queue, redis, schema   = "github.com/hibiken/asynq", "github.com/redis/go-redis/v9", "github.com/xeipuuv/gojsonschema"
		jwt                    = "github.com/golang-jwt/jwt/v5"
	)
	heavy := []string{gorm, sqlite, postgres, queue, redis, schema, jwt}
	never := []string{"testing", "github.com/alicebob/miniredis/v2", "github.com/hibiken/asynqmon", "github.com/pressly/goose/v3",
		"github.com/chromedp/chromedp", "github.com/prometheus/client_golang/prometheus", "gopkg.in/yaml.v3"}
	uses := map[string][]string{
		"bar":    {schema, jwt, redis},
		"baz":    {queue, redis},
		"fail":   {},
		"foo":    {gorm, sqlite, postgres},
		"health": {gorm, sqlite, postgres, redis},
		"jobs":   {queue, redis, schema, jwt},
		"login":  {gorm, sqlite, postgres, redis, schema, jwt},
		"posts":  {gorm, sqlite, postgres, redis, schema, jwt, queue},
		"users":  {gorm, sqlite, postgres, redis, schema, jwt},
		"work":   {gorm, sqlite, postgres, queue, redis},
	}
	for _, f := range functions() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			used, known := uses[f.Name]
			if !known {
				t.Skip("nothing is said of what it may link")
			}
			linked := dependencies(t, "./functions/"+f.Name+"/bootstrap")
			for _, pkg := range heavy {
				if has, may := slices.Contains(linked, pkg), slices.Contains(used, pkg); has != may {
					t.Errorf("links %s: %v; want %v", pkg, has, may)
				}
			}
			for _, pkg := range never {
				if slices.Contains(linked, pkg) {
					t.Errorf("links %s, which no function needs", pkg)
				}
			}
		})
	}
}

func dependencies(t *testing.T, pkg string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags=lambda.norpc", pkg)
	cmd.Dir = apptest.Root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v", pkg, err)
	}
	return strings.Fields(string(out))
}
