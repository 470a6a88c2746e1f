package supervise

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// projectRoot is where the project's own supervisord.conf and redis.conf stand.
const projectRoot = "../../.."

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTheServerAndTheWorkersAreToldOfOurRedis(t *testing.T) {
	port, err := setting(filepath.Join(projectRoot, "redis.conf"), "", "port")
	if err != nil {
		t.Fatal(err)
	}
	told, err := setting(filepath.Join(projectRoot, "supervisord.conf"), "[supervisord]", "environment")
	if err != nil {
		t.Fatal(err)
	}
	if want := `REDIS_URL="redis://127.0.0.1:` + port + `/`; !strings.Contains(told, want) {
		t.Errorf("supervisord.conf says %s, and redis.conf port %s", told, port)
	}
}

func TestTheProgramsOfTheConfiguration(t *testing.T) {
	conf := filepath.Join(projectRoot, "supervisord.conf")
	for section, values := range map[string]map[string]string{
		"[inet_http_server]": {"port": "127.0.0.1:9001"},
		"[program:redis]":    {"priority": "10"},
		"[program:main]":     {"priority": "20"},
		"[program:worker]":   {"priority": "30", "numprocs": "2", "process_name": "worker-%(process_num)d"},
	} {
		for key, want := range values {
			if got, err := setting(conf, section, key); err != nil || got != want {
				t.Errorf("%s %s: %q, %v; want %q", section, key, got, err, want)
			}
		}
	}
}

func TestSetting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.conf")
	write(t, path, "; port=1\nport 2\n[a]\nport=3\nsupport=4\n[b]\n  port = 5\n")
	for name, c := range map[string]struct{ section, want string }{
		"before the sections": {"", "2"},
		"in a section":        {"[a]", "3"},
		"with spaces":         {"[b]", "5"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := setting(path, c.section, "port"); err != nil || got != c.want {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
	if _, err := setting(path, "[c]", "port"); err == nil {
		t.Error("no error for a section that is not there")
	}
}

func TestFreeNamesEveryAddressThatIsTaken(t *testing.T) {
	listen := func() (addr, port string) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		_, port, _ = net.SplitHostPort(l.Addr().String())
		return l.Addr().String(), port
	}
	server, _ := listen()
	page, _ := listen()
	_, redis := listen()
	root := t.TempDir()
	write(t, filepath.Join(root, "redis.conf"), "port "+redis+"\n")
	write(t, filepath.Join(root, "supervisord.conf"), "[inet_http_server]\nport="+page+"\n")
	err := Site{Root: root, Addr: server, Out: io.Discard}.free()
	if err == nil {
		t.Fatal("all three are taken, and it sees none")
	}
	for _, says := range []string{server, page, ":" + redis, "ADDR", "redis.conf", "[inet_http_server]"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("no %q in:\n%v", says, err)
		}
	}
}

func TestMissingToolsAreNamedWithTheirPackages(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := Site{Root: t.TempDir(), Out: io.Discard}.Ready(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	for _, says := range []string{"supervisord", "redis-server", "apt-get install", "brew install", "make run"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("no %q in:\n%v", says, err)
		}
	}
}

func TestNothingIsUpInANewFolder(t *testing.T) {
	var said strings.Builder
	s := Site{Root: t.TempDir(), Out: &said}
	if err := s.Status(t.Context()); !errors.Is(err, ErrDown) {
		t.Errorf("status: %v, want ErrDown", err)
	}
	if err := s.Down(t.Context()); err != nil || !strings.Contains(said.String(), "Nothing is up") {
		t.Errorf("down: %v, %q", err, said.String())
	}
}

func TestWhereAClientReachesTheServer(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:5000": "127.0.0.1:5000",
		":8080":          "127.0.0.1:8080",
		"0.0.0.0:8080":   "127.0.0.1:8080",
		"[::]:8080":      "127.0.0.1:8080",
		"[::1]:8080":     "[::1]:8080",
		"localhost:5000": "localhost:5000",
	} {
		if got := (Site{Addr: addr}).reachable(); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}
