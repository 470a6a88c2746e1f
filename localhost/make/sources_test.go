package main

import (
	"strings"
	"testing"

	"github.com/tandem-api/tandem/shared/redisdb/redistest"
)

// What the generators write is judged by the compiler, by vet and by the project's own
// tests.

func TestANewFunctionIsWhole(t *testing.T) {
	takesMinutes(t)
	t.Parallel()
	redistest.Need(t, "make")
	p := copyProject(t)
	said := p.must("make", "new-function", "NAME=greeting")
	if !strings.Contains(said, "GET /greeting") {
		t.Errorf("it says: %s", said)
	}
	p.must("go", "vet", "./functions/greeting/...", "./localhost")
	p.must("go", "test", "./functions/greeting/...")
	p.must("go", "test", "-run", "Function|Template", "./localhost")
	if routes := p.must("go", "run", "./localhost", "routes"); !strings.Contains(routes, "/greeting") {
		t.Errorf("the local host does not serve it:\n%s", routes)
	}
	p.must("make", "build", "ARCH=arm64")
	if said, err := p.command("make", "new-function", "NAME=greeting"); err == nil || !strings.Contains(said, "another function") {
		t.Errorf("a second one of that name: %v\n%s", err, said)
	}
}

func TestARenamedProjectIsWhole(t *testing.T) {
	takesMinutes(t)
	t.Parallel()
	redistest.Need(t, "make")
	p := copyProject(t)
	old := strings.TrimSpace(p.must("go", "list", "-m"))
	p.must("make", "rename", "MODULE=example.com/acme/api")
	if got := strings.TrimSpace(p.must("go", "list", "-m")); got != "example.com/acme/api" {
		t.Errorf("the module is %s", got)
	}
	if left, err := p.command("grep", "-rnF", "--exclude-dir=tmp", old, "."); err == nil {
		t.Errorf("the old path is left:\n%s", left)
	}
	if unformatted := p.must("gofmt", "-l", "."); unformatted != "" {
		t.Errorf("not formatted: %s", unformatted)
	}
	p.must("go", "vet", "./...")
	p.must("go", "test", "./functions/...")
}
