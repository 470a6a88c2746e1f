package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// patience bounds how long Up waits for the server's health.
	patience = 60 * time.Second
	// retrying is how long a program may end and be started again before Up takes it
	// for broken: the server does so until Redis answers.
	retrying = 10 * time.Second
	// between is the pause between two looks.
	between = 250 * time.Millisecond
)

// Ready returns why Up would fail, as far as can be told beforehand: something is
// missing, in the way, or up already.
func (s Site) Ready(ctx context.Context) error {
	if err := installed(); err != nil {
		return err
	}
	if len(s.socket()) > maxSocket {
		return fmt.Errorf("the path %s is too long for a socket: move the project to a folder with a shorter name", s.socket())
	}
	switch _, err := s.pid(ctx); {
	case err == nil:
		return ErrUp
	case !errors.Is(err, ErrDown):
		return err
	}
	return s.free()
}

// Up starts everything and waits until the server is healthy and every program runs.
// The site is Ready, and the programs' binaries are built. If they do not come up, Up
// prints the end of the logs, ends what it started, and returns why.
func (s Site) Up(ctx context.Context) error {
	for _, dir := range []string{"log", "redis"} {
		if err := os.MkdirAll(filepath.Join(s.Root, "tmp", dir), 0o755); err != nil {
			return fmt.Errorf("up: %w", err)
		}
	}
	if said, err := exec.CommandContext(ctx, "supervisord", "-c", s.conf()).CombinedOutput(); err != nil {
		return fmt.Errorf("supervisord: %w\n%s", err, strings.TrimSpace(string(said)))
	}
	if err := s.wait(ctx); err != nil {
		// Even when the wait was cut short, nothing half started stays behind.
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return errors.Join(err, s.Down(end))
	}
	if err := s.Status(ctx); err != nil {
		return err
	}
	page, err := setting(s.conf(), "[inet_http_server]", "port")
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "\nThe API is on http://%s, supervisor's page on http://%s\n", s.reachable(), page)
	return nil
}

// wait looks again and again until all is well, or something is surely not.
func (s Site) wait(ctx context.Context) error {
	began := time.Now()
	ticker := time.NewTicker(between)
	defer ticker.Stop()
	for {
		down, err := s.look(ctx, time.Since(began))
		if err == nil {
			return nil
		}
		if len(down) > 0 || time.Since(began) > patience {
			s.tails(down)
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("up: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}

// look returns nil if the site is up, else why it is not, and, once waiting does not help
// one of the programs, all that do not run: what ails one may well ail another, which is
// just being started again.
func (s Site) look(ctx context.Context, waited time.Duration) (down []string, err error) {
	programs, err := s.programs(ctx)
	if err != nil {
		return nil, err
	}
	broken := false
	var states []string
	for _, p := range programs {
		if p.state == "RUNNING" {
			continue
		}
		down, states = append(down, p.name), append(states, p.name+" is "+p.state)
		broken = broken || p.state == "FATAL" || p.state == "BACKOFF" && waited > retrying
	}
	switch {
	case broken:
		return down, fmt.Errorf("%s did not start", strings.Join(down, ", "))
	case len(down) > 0:
		return nil, fmt.Errorf("still waiting: %s", strings.Join(states, ", "))
	}
	return nil, s.healthy(ctx)
}

// healthy asks the server for its health.
func (s Site) healthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.reachable()+"/health", nil)
	if err != nil {
		return fmt.Errorf("the server's address: %w", err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
		return fmt.Errorf("the server is not healthy: /health answers %s\n%s", answer.Status, body)
	}
	return nil
}

// reachable is the server's address as a client on this machine dials it: a server
// on all interfaces is on loopback too.
func (s Site) reachable() string {
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return s.Addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// tails prints the ends of the logs of the programs, or of the server where none is
// to blame.
func (s Site) tails(names []string) {
	if len(names) == 0 {
		names = []string{"main"}
	}
	for _, name := range names {
		path := s.log(name)
		text, err := os.ReadFile(path)
		if err != nil {
			fmt.Fprintln(s.Out, err)
			continue
		}
		lines := slices.Collect(strings.Lines(string(text)))
		lines = lines[max(0, len(lines)-20):]
		fmt.Fprintf(s.Out, "==> the end of %s\n%s\n", path, strings.Join(lines, ""))
	}
}
