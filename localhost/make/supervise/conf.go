package supervise

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tools are the programs that must be installed, and how.
var tools = []struct{ program, debian, macos string }{
	{"supervisord", "apt-get install supervisor", "brew install supervisor"},
	{"supervisorctl", "apt-get install supervisor", "brew install supervisor"},
	{"redis-server", "apt-get install redis-server", "brew install redis"},
}

// installed returns an error that says for every missing tool how to get it.
func installed() error {
	var missing []string
	for _, t := range tools {
		if _, err := exec.LookPath(t.program); err != nil {
			missing = append(missing, fmt.Sprintf("%s is not installed: %s (Debian, Ubuntu) or %s (macOS)", t.program, t.debian, t.macos))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%s\nwithout them, `make run` serves everything in one process", strings.Join(missing, "\n"))
}

// setting returns the value of a key in one of the configuration files: of a section,
// as in "[name]", or of the whole file. Keys and values stand apart by = or a space.
func setting(path, section, key string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the configuration: %w", err)
	}
	inside := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			inside = line
			continue
		}
		at := strings.IndexAny(line, "= ")
		if inside == section && at > 0 && line[:at] == key {
			return strings.TrimLeft(line[at:], "= "), nil
		}
	}
	return "", fmt.Errorf("%s: no %s %s", filepath.Base(path), section, key)
}

// listener is something that the site will listen on.
type listener struct {
	who, addr, change string
}

func (s Site) listeners() ([]listener, error) {
	redis, err := setting(filepath.Join(s.Root, "redis.conf"), "", "port")
	if err != nil {
		return nil, err
	}
	page, err := setting(s.conf(), "[inet_http_server]", "port")
	if err != nil {
		return nil, err
	}
	return []listener{
		{"the server", s.Addr, "set ADDR to another address"},
		{"Redis", net.JoinHostPort("127.0.0.1", redis), "change the port in redis.conf, and in supervisord.conf's REDIS_URL"},
		{"supervisor's web page", page, "change the port in supervisord.conf, under [inet_http_server]"},
	}, nil
}

// free returns an error that names every address that something listens on already.
func (s Site) free() error {
	all, err := s.listeners()
	if err != nil {
		return err
	}
	var taken []string
	for _, l := range all {
		listening, err := net.Listen("tcp", l.addr)
		if err != nil {
			taken = append(taken, fmt.Sprintf("%s cannot listen on %s: %v\n  end what listens there, or %s", l.who, l.addr, err, l.change))
			continue
		}
		listening.Close()
	}
	if len(taken) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(taken, "\n"))
}
