package fidelity_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-api/tandem/localhost/fidelity"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/apptest/loopback"
)

// TestSAM asks AWS' own emulator, on request and in CI.
func TestSAM(t *testing.T) {
	if !*withSAM && !inCI() {
		t.Skip("SKIPPED: sam local start-api is not asked: make fidelity")
	}
	need(t, "sam")
	d := docker(t)
	version, err := exec.CommandContext(t.Context(), "sam", "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	// Its emulator of the Runtime API falls over now and then when many ask at once.
	(&stage{name: fidelity.SAM, serve: d.serveSAM, again: 2}).run(t)
	if *update && !t.Failed() {
		record(t, strings.TrimSpace(string(version)))
	}
}

// daemon is where Docker listens.
type daemon struct{ host string }

// docker finds a daemon that runs, or starts one that goes with the test. Without any,
// the test is skipped.
func docker(t *testing.T) daemon {
	t.Helper()
	need(t, "docker")
	d := daemon{os.Getenv("DOCKER_HOST")}
	if d.docker(t, nil, "info") != nil {
		d = startDaemon(t)
	}
	d.image(t)
	return d
}

// docker runs a command of Docker's.
func (d daemon) docker(t *testing.T, stdin io.Reader, args ...string) error {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "docker", args...)
	cmd.Stdin = stdin
	cmd.Env = d.environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("docker %v: %w\n%s", args, err, out)
	}
	return nil
}

// environ keeps SAM from asking AWS, which it does as soon as there are credentials.
func (d daemon) environ() []string {
	var env []string
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); !strings.HasPrefix(name, "AWS_") && name != "DOCKER_HOST" {
			env = append(env, variable)
		}
	}
	env = append(env, "SAM_CLI_TELEMETRY=0", "AWS_EC2_METADATA_DISABLED=true", "AWS_DEFAULT_REGION=us-east-1")
	if d.host != "" {
		env = append(env, "DOCKER_HOST="+d.host)
	}
	return env
}

// startDaemon starts a daemon whose files go with the test, and which leaves the
// machine's firewall alone.
func startDaemon(t *testing.T) daemon {
	t.Helper()
	need(t, "dockerd")
	dir, err := os.MkdirTemp("", "docker-") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := daemon{"unix://" + filepath.Join(dir, "socket")}
	var log bytes.Buffer
	cmd := exec.Command("dockerd", "--storage-driver=vfs", "--iptables=false", "--ip6tables=false", "-H", d.host,
		"--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "pid"))
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	})
	for deadline := time.After(time.Minute); d.docker(t, nil, "info") != nil; {
		select {
		case <-ended:
			t.Skipf("SKIPPED: no Docker daemon runs here, and none can be started:\n%s", log.String())
		case <-deadline:
			t.Fatal("the Docker daemon is not ready after a minute")
		case <-time.After(100 * time.Millisecond):
		}
	}
	return d
}

// imageName is the image that SAM runs a provided.al2023 function in. SAM puts the
// runtime interface emulator in; a shell for it is all that it must have.
const imageName = "public.ecr.aws/lambda/provided:al2023-x86_64"

// image sees to it that there is the image, without any registry.
func (d daemon) image(t *testing.T) {
	t.Helper()
	if d.docker(t, nil, "image", "inspect", imageName) == nil {
		return
	}
	need(t, "busybox")
	const script = `set -e
mkdir -p "$1"/bin "$1"/var/task "$1"/var/runtime "$1"/opt "$1"/tmp
cp "$(command -v busybox)" "$1"/bin/busybox
for a in $(busybox --list | grep -vx busybox); do ln -sf busybox "$1/bin/$a"; done
tar -C "$1" -c .`
	pack := exec.CommandContext(t.Context(), "sh", "-c", script, "sh", t.TempDir())
	root, err := pack.Output()
	if err != nil {
		t.Fatalf("pack an image of busybox: %v", err)
	}
	err = d.docker(t, bytes.NewReader(root), "import",
		"-c", "WORKDIR /var/task", "-c", "ENV PATH=/usr/bin:/bin LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime",
		"-", imageName)
	if err != nil {
		t.Fatal(err)
	}
}

// serveSAM starts sam local start-api over an API.
func (d daemon) serveSAM(t *testing.T, api string) string {
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join("testdata", "apis", api+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "template.yaml"), text)
	for _, name := range []string{"probe", "raw"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Dir(binary(t, name)))); err != nil {
			t.Fatal(err)
		}
	}
	port := strconv.Itoa(loopback.Port(t))
	var log bytes.Buffer
	cmd := exec.Command("sam", "local", "start-api", "--skip-pull-image", "--host", "127.0.0.1", "--port", port, "--warm-containers", "LAZY")
	cmd.Dir, cmd.Env = dir, d.environ()
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT) // it removes its containers then
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			t.Logf("sam, for %s, has written:\n%s", api, log.Bytes())
		}
	})
	addr := net.JoinHostPort("127.0.0.1", port)
	apptest.Eventually(t, "sam local start-api listens", func() bool {
		select {
		case <-ended:
			t.Fatalf("sam local start-api has ended:\n%s", log.Bytes())
		default:
		}
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
	return addr
}
