package fidelity_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tandem-api/tandem/localhost/fidelity"
	"github.com/tandem-api/tandem/localhost/template"
)

var (
	update  = flag.Bool("update", false, "write docs/fidelity.md anew, and with -sam what SAM has answered")
	withSAM = flag.Bool("sam", false, "ask sam local start-api too, which takes Docker and some minutes")
)

// atOnce limits a request to a stage, which may have to start a process for it.
const atOnce = 30 * time.Second

// stage serves the APIs of testdata/apis.
type stage struct {
	name fidelity.Stage
	// serve starts an API and returns where it listens. It is called once for each.
	serve func(t *testing.T, api string) string
	// parallel lets cases run at once, those aside that ask several times themselves.
	parallel bool
	// again is how often a case is asked again whose answer is not the right one: a
	// program of others' may have a bad moment.
	again int

	addrs map[string]string
}

func (s *stage) addr(t *testing.T, api string) string {
	t.Helper()
	if s.addrs == nil {
		s.addrs = map[string]string{}
	}
	if s.addrs[api] == "" {
		s.addrs[api] = s.serve(t, api)
	}
	return s.addrs[api]
}

func cases(t testing.TB) []fidelity.Topic {
	t.Helper()
	topics, err := fidelity.Load("testdata/cases")
	if err != nil {
		t.Fatal(err)
	}
	return topics
}

// run asks the stage every case.
func (s *stage) run(t *testing.T) {
	for _, topic := range cases(t) {
		for _, rule := range topic.Rules {
			for _, c := range rule.Cases {
				want := c.Want
				e, departs := rule.Exception(c, s.name)
				if e.Not != "" {
					continue // docs/fidelity.md says why
				}
				if departs {
					want = e.Want
				}
				addr := s.addr(t, rule.API)
				t.Run(c.Name, func(t *testing.T) {
					if s.parallel && c.Times < 2 {
						t.Parallel()
					}
					r := c.Request
					if r.Token != nil {
						r = r.With(signed(t, *r.Token))
					}
					err := ask(t.Context(), addr, r, want)
					for i := 0; err != nil && i < s.again; i++ {
						t.Logf("asked again after: %v", err)
						err = ask(t.Context(), addr, r, want)
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// ask sends a request as often as the case says, and compares the answers.
func ask(ctx context.Context, addr string, r fidelity.Request, want fidelity.Want) error {
	answers := make([]fidelity.Answer, max(r.Times, 1))
	errs := make([]error, len(answers))
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i], errs[i] = r.Send(ctx, addr, atOnce) })
		if r.Serial {
			all.Wait()
		}
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return want.Count(answers)
}

func TestInProcess(t *testing.T) {
	(&stage{name: fidelity.InProcess, serve: serveInProcess, parallel: true}).run(t)
}

func TestThroughNginx(t *testing.T) {
	need(t, "nginx")
	(&stage{name: fidelity.Nginx, serve: serveNginx, parallel: true}).run(t)
}

func TestAsProcesses(t *testing.T) {
	(&stage{name: fidelity.Processes, serve: serveProcesses, parallel: true}).run(t)
}

func TestBareBootstraps(t *testing.T) {
	(&stage{name: fidelity.Bootstrap, serve: serveBootstraps, parallel: true}).run(t)
}

// read returns the template of an API.
func read(t testing.TB, api string) *template.Template {
	t.Helper()
	read, err := template.Load(filepath.Join("testdata", "apis", api+".yaml"), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// binaries are the functions, built once for all stages.
var binaries struct {
	sync.Mutex
	dir   string
	built map[string]string
}

// binary returns the bootstrap of a function: probe or raw.
func binary(t testing.TB, name string) string {
	t.Helper()
	binaries.Lock()
	defer binaries.Unlock()
	if path := binaries.built[name]; path != "" {
		return path
	}
	source := map[string]string{"probe": "./probe/bootstrap", "raw": "./testdata/raw"}[name]
	path := filepath.Join(binaries.dir, name, "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags=lambda.norpc", "-o", path, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", source, err, out)
	}
	binaries.built[name] = path
	return path
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "fidelity-")
		if err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binaries.dir, binaries.built = dir, map[string]string{}
		return m.Run()
	}())
}

// need skips the test where a program is missing, but not in CI, which has them all.
func need(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if inCI() {
		t.Fatalf("CI lacks %s", program)
	}
	t.Skipf("SKIPPED: %s is not installed", program)
}

func inCI() bool { return os.Getenv("CI") == "true" }
