package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
)

// program builds localhost once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "localhost")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "localhost")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// process is a `localhost serve` as a user starts it, in a folder of its own.
type process struct {
	*exec.Cmd
	url    string
	stdout *bytes.Buffer // whole once the process has ended
	stderr *lines
	read   chan struct{} // closed at the end of stdout
}

// lines is a log that a test may read while the process writes it.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

const patience = 20 * time.Second

func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	template, err := filepath.Abs("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := &process{stdout: &bytes.Buffer{}, stderr: &lines{}, read: make(chan struct{})}
	p.Cmd = exec.Command(path, append([]string{"serve", "-addr", "127.0.0.1:0", "-template", template}, args...)...)
	p.Dir = t.TempDir()
	p.Env = append([]string{"CATFACTS_URL=http://127.0.0.1:1"}, env...)
	p.Stderr = p.stderr
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ProcessState == nil {
			_ = p.Process.Kill()
			_ = p.Wait()
		}
	})
	found := make(chan string, 1)
	go func() {
		defer close(p.read)
		scanner := bufio.NewScanner(io.TeeReader(stdout, p.stdout))
		for scanner.Scan() {
			if url := regexp.MustCompile(`http://[\d.:]+`).FindString(scanner.Text()); url != "" {
				select {
				case found <- url:
				default:
				}
			}
		}
	}()
	select {
	case p.url = <-found:
	case <-p.read:
		t.Fatalf("serve ended: %v\n%s", p.Wait(), p.stderr)
	case <-time.After(patience):
		t.Fatalf("serve printed no URL\n%s", p.stderr)
	}
	return p
}

// stop sends the signal and returns the exit code.
func (p *process) stop(t *testing.T, signal os.Signal) int {
	t.Helper()
	if err := p.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.read:
	case <-time.After(patience):
		t.Fatalf("serve did not end\n%s", p.stderr)
	}
	_ = p.Wait()
	return p.ProcessState.ExitCode()
}

func TestServeWithNothingButGo(t *testing.T) {
	p := start(t, nil)
	token := p.command(t, "token", "-user", "asdf")
	login := http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
	for _, c := range []struct {
		name, method, path string
		header             http.Header
		body               string
		status             int
		want               string // what the answer holds
	}{
		{"foo, version 1", "GET", "/v1/foo", nil, "", 200, `{"hello":"world","count":0,"version":1}`},
		{"foo, version 2", "GET", "/v2/foo", nil, "", 200, `"version":2}`},
		{"foo, a version to come", "GET", "/v99/foo", nil, "", 200, `"version":2}`},
		{"foo, no version", "GET", "/vx/foo", nil, "", 404, `"title":"Not Found"`},
		{"bar", "POST", "/bar", login, `{"hello":"hi","world":[{"color":"red"},{"color":"blue","size":2}]}`, 200,
			`{"hello":"world","count":2,"data":["red","blue"]}`},
		{"bar without a login", "POST", "/bar", http.Header{"Content-Type": {"application/json"}}, `{}`, 401, `"status":401`},
		{"bar, unfit", "POST", "/bar", login, `{"hello":1,"world":[]}`, 422, `"pointer":"/hello"`},
		{"baz, the vendor down", "GET", "/baz", nil, "", 200, `"source":"fallback"`},
		{"fail", "GET", "/fail", nil, "", 500, `"title":"Internal Server Error"`},
		{"health", "GET", "/health", nil, "", 200, `{"status":"ok","dependencies":{"database":"ok","redis":"ok"}}`},
		{"an unknown route", "GET", "/nowhere", nil, "", 404, `{"message":"Not Found"}`},
		{"an unknown method", "DELETE", "/bar", nil, "", 404, `{"message":"Not Found"}`},
		{"the pages", "GET", "/internal/", nil, "", 200, "/internal/asynq"},
		{"the dashboard", "GET", "/internal/asynq", nil, "", 200, "<div id=\"root\">"},
		{"the dashboard's old name", "GET", "/internal/rq", nil, "", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := apptest.Do(t, c.method, p.url+c.path, c.body, c.header)
			if c.status == 0 {
				if got.Status/100 != 3 || !strings.HasPrefix(got.Header.Get("Location"), "/internal/asynq") {
					t.Errorf("%d to %q; want a redirect to /internal/asynq", got.Status, got.Header.Get("Location"))
				}
				return
			}
			if got.Status != c.status || !strings.Contains(got.Body, c.want) {
				t.Errorf("%d %s\nwant %d and %s", got.Status, got.Body, c.status, c.want)
			}
			if got.Header.Get("Content-Type") != "application/problem+json" {
				return
			}
			var problem struct{ RequestID string }
			if err := json.Unmarshal([]byte(got.Body), &problem); err != nil || problem.RequestID != got.Header.Get("Apigw-Requestid") {
				t.Errorf("requestId %q and apigw-requestid %q differ", problem.RequestID, got.Header.Get("Apigw-Requestid"))
			}
		})
	}
	if code := p.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d after SIGTERM, want 0\n%s", code, p.stderr)
	}
	for _, want := range []string{"/{version}/foo", "/internal/", "do not outlive it"} {
		if !strings.Contains(p.stdout.String(), want) {
			t.Errorf("serve did not print %q:\n%s", want, p.stdout)
		}
	}
}

// command runs another command of localhost in the process's folder.
func (p *process) command(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(p.Path, args...)
	cmd.Dir, cmd.Env = p.Dir, p.Env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("localhost %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

func TestStoppingSaysHowManyJobsAreLost(t *testing.T) {
	p := start(t, nil, "-workers", "0")
	apptest.Get(t, p.url+"/baz") // it enqueues a job
	if code := p.stop(t, os.Interrupt); code != 0 {
		t.Errorf("exit %d after SIGINT, want 0", code)
	}
	if !strings.Contains(p.stderr.String(), "stopped with 1 job still queued") {
		t.Errorf("stderr:\n%s", p.stderr)
	}
}

func TestStoppingFinishesTheJobUnderWay(t *testing.T) {
	p := start(t, nil)
	apptest.Get(t, p.url+"/baz")
	p.eventually(t, "the job has begun", func() bool { return strings.Contains(p.stderr.String(), "slow_job") })
	if code := p.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
	if strings.Contains(p.stderr.String(), "still queued") {
		t.Errorf("the job was not finished:\n%s", p.stderr)
	}
}

func (p *process) eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s\n%s", what, p.stderr)
		}
	}
}

func TestAPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	inFolderWith(t, "template.yaml", "Resources: {}\n")
	env := map[string]string{"AUTH_SECRET": strings.Repeat("x", 32)}
	got := localhost(t, env, "serve", "-addr", taken.Addr().String())
	if got.code != 1 || !strings.Contains(got.stderr, taken.Addr().String()) || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("exit %d, stderr %q: want exit 1 and one line with the address", got.code, got.stderr)
	}
}

// inFolderWith moves the test into a new folder that holds one file.
func inFolderWith(t *testing.T, name, text string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// isolated is a template with one of our functions, and one that others have built, in
// another language.
const isolated = `
Resources:
  HealthFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: HEALTH
      MemorySize: 256
      Timeout: 10
      Environment: {Variables: {DATABASE_URL: "", REDIS_URL: ""}}
      Events: {Get: {Type: HttpApi, Properties: {Method: GET, Path: /health}}}
  ShellFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: shell
      Timeout: 10
      Events: {Get: {Type: HttpApi, Properties: {Method: GET, Path: /shell}}}
`

// A function in the shell's language.
const shellBootstrap = `#!/bin/bash
set -eu
ask() { # METHOD PATH [BODY]: the answer's head and body
  exec 3<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API/://}"
  printf '%s /2018-06-01/runtime/invocation/%s HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s' "$1" "$2" "${#3}" "$3" >&3
  cat <&3
}
while true; do
  id=$(ask GET next '' | tr -d '\r' | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //Ip')
  ask POST "$id/response" '"from the shell"' >/dev/null
done
`

// forGo is what the go command needs of the environment.
func forGo() []string {
	return slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return !strings.HasPrefix(pair, "PATH=") && !strings.HasPrefix(pair, "HOME=") && !strings.HasPrefix(pair, "GO")
	})
}

func TestServeIsolated(t *testing.T) {
	if _, err := os.Stat("/bin/bash"); err != nil {
		t.Skip("no bash")
	}
	apptest.Build(t, "./functions/health/bootstrap") // it fills go's cache, which may take longer than our patience
	health, err := filepath.Abs("../functions/health/bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "template.yaml", strings.Replace(isolated, "HEALTH", health, 1))
	write(t, dir, "shell/bootstrap", shellBootstrap)
	p := start(t, forGo(), "-isolate", "-freeze", "-template", filepath.Join(dir, "template.yaml"))
	for range 2 {
		if w := apptest.Do(t, "GET", p.url+"/health", "", nil); w.Status != 200 || w.Body != `{"status":"ok","dependencies":{"database":"ok","redis":"ok"}}` {
			t.Errorf("%d %s: the function does not see this machine's database and Redis", w.Status, w.Body)
		}
	}
	if w := apptest.Do(t, "GET", p.url+"/shell", "", nil); w.Status != 200 || w.Body != `"from the shell"` {
		t.Errorf("%d %s", w.Status, w.Body)
	}
	if code := p.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d after SIGTERM, want 0", code)
	}
	log := p.stderr.String()
	if strings.Count(log, "HealthFunction | START ") != 2 || strings.Count(log, "Init Duration: ") != 2 || strings.Count(log, "REPORT ") != 3 {
		t.Errorf("want two events in one process, and one in another:\n%s", log)
	}
	if left, _ := filepath.Glob(filepath.Join(p.Dir, "tmp/programs/run-*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestServeIsolatedNeedsWhatItCanRun(t *testing.T) {
	broken := "package main\n\nfunc main() { undefined() }\n"
	resource := func(uri string) string {
		return "Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {CodeUri: " + uri + ", Events: {E: {Type: HttpApi, Properties: {Method: GET, Path: /f}}}}}\n"
	}
	for name, c := range map[string]struct {
		template string
		code     int
		says     string
	}{
		"code that does not build": {resource("f"), 1, "localhost: f/main.go:3:15: undefined: undefined\n"},
		"no code":                  {resource("nowhere"), 2, `CodeUri "nowhere" is neither`},
	} {
		t.Run(name, func(t *testing.T) {
			inFolderWith(t, "template.yaml", c.template)
			write(t, ".", "f/main.go", broken)
			write(t, ".", "go.mod", "module example.com/f\n\ngo 1.26\n")
			env := map[string]string{"ADDR": "127.0.0.1:0", "AUTH_SECRET": strings.Repeat("x", 32)}
			if got := localhost(t, env, "serve", "-isolate"); got.code != c.code || !strings.Contains(got.stderr, c.says) {
				t.Errorf("exit %d, stderr:\n%swant exit %d, and %q in it", got.code, got.stderr, c.code, c.says)
			}
		})
	}
}
