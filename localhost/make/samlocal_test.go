package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/apptest/loopback"
	"github.com/tandem-api/tandem/shared/redisdb/redistest"
)

// TestSAMLocal asks the functions as SAM runs them: the bootstraps in containers, behind
// AWS' own Runtime API. .ci/sam/local runs it, with Docker and an image that stands for
// Lambda's; its name is in TEST_SAM_IMAGE.
func TestSAMLocal(t *testing.T) {
	image := os.Getenv("TEST_SAM_IMAGE")
	if image == "" {
		t.Skip("SKIPPED: .ci/sam/local runs it, which needs Docker and SAM")
	}
	app := apptest.New(t)
	base := startSAM(t, image, map[string]string{
		"DatabaseUrl": onBridge(t, apptest.PostgresURL(t).Reveal()),
		"RedisUrl":    onBridge(t, "redis://"+redistest.Start(t).Addr),
		"AuthSecret":  apptest.AuthSecret.Reveal(),
		"CatfactsUrl": onBridge(t, catFacts(t)),
	})
	login := http.Header{"Authorization": {"Bearer " + app.Token("asdf")}, "Content-Type": {"application/json"}}
	for _, c := range []struct {
		name, method, path, body string
		header                   http.Header
		status                   int
		want                     string // a part of the answer
	}{
		{"foo, the first version", "GET", "/v1/foo", "", nil, 200, `{"hello":"world","count":0,"version":1}`},
		{"foo, a version to come", "GET", "/v7/foo", "", nil, 200, `"version":2`},
		{"foo, no version", "GET", "/vx/foo", "", nil, 404, `"status":404`},
		{"bar", "POST", "/bar", `{"hello":"w","world":[{"color":"red"},{"color":"blue"}]}`, login, 200, `{"hello":"world","count":2,"data":["red","blue"]}`},
		{"bar, unfit", "POST", "/bar", `{"hello":1,"world":[]}`, login, 422, `/hello`},
		{"bar, no login", "POST", "/bar", `{}`, http.Header{"Content-Type": {"application/json"}}, 401, `"status":401`},
		{"baz, a miss", "GET", "/baz", "", nil, 200, `Cats purr.`},
		{"baz, a hit", "GET", "/baz", "", nil, 200, `Cats purr.`},
		{"fail", "GET", "/fail", "", nil, 500, `"requestId":`},
		{"health", "GET", "/health", "", nil, 200, `"status":"ok"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := apptest.Do(t, c.method, base+c.path, c.body, c.header)
			if got.Status != c.status || !strings.Contains(got.Body, c.want) {
				t.Errorf("%d %s, want %d with %s", got.Status, got.Body, c.status, c.want)
			}
			if strings.HasPrefix(c.name, "baz, a ") && !strings.EqualFold(got.Header.Get("X-Cache"), strings.TrimPrefix(c.name, "baz, a ")) {
				t.Errorf("X-Cache: %s", got.Header.Get("X-Cache"))
			}
		})
	}
}

// startSAM runs `make sam-local` for the length of the test, and returns its URL.
func startSAM(t *testing.T, image string, parameters map[string]string) string {
	t.Helper()
	p := copyProject(t)
	port := strconv.Itoa(loopback.Port(t))
	var given []string
	for name, value := range parameters {
		given = append(given, name+"="+value)
	}
	cmd := commandIn(p.root, p.env, "make", "sam-local", "ARCH="+lambdaArch(t), "PARAMETERS="+strings.Join(given, " "),
		"ARGS=--skip-pull-image --invoke-image "+image+" --port "+port)
	cmd.Env = append(cmd.Env, "SAM_CLI_TELEMETRY=0", "AWS_EC2_METADATA_DISABLED=true", "AWS_DEFAULT_REGION=us-east-1")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	// A group of its own, as the processes of a terminal are: ^C reaches all of it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Error("sam local does not end")
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	})
	within(t, 5*time.Minute, "sam local listens", func() bool {
		select {
		case <-ended:
			t.Fatalf("sam local ended: %s", cmd.ProcessState)
		default:
		}
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return "http://127.0.0.1:" + port
}

// lambdaArch is what Lambda calls this machine's processor.
func lambdaArch(t *testing.T) string {
	t.Helper()
	arch, err := exec.CommandContext(t.Context(), "uname", "-m").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(strings.TrimSpace(string(arch)), "aarch64", "arm64", 1)
}

// onBridge returns a URL under which containers reach what listens on this machine's
// loopback: the test forwards it on Docker's bridge.
func onBridge(t *testing.T, to string) string {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	gateway, err := exec.CommandContext(t.Context(), "docker", "network", "inspect", "bridge", "-f", "{{(index .IPAM.Config 0).Gateway}}").Output()
	if err != nil {
		t.Fatalf("ask Docker for its bridge: %v", err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(strings.TrimSpace(string(gateway)), "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go forward(t.Context(), l, u.Host)
	u.Host = l.Addr().String()
	return u.String()
}

// forward copies what comes, and goes, until the listener is closed.
func forward(ctx context.Context, l net.Listener, to string) {
	for {
		from, err := l.Accept()
		if err != nil {
			return
		}
		var d net.Dialer
		server, err := d.DialContext(ctx, "tcp", to)
		if err != nil {
			from.Close()
			continue
		}
		for _, way := range [][2]net.Conn{{from, server}, {server, from}} {
			go func() {
				_, _ = io.Copy(way[1], way[0])
				way[0].Close()
				way[1].Close()
			}()
		}
	}
}
