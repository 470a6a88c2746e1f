package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/apptest/loopback"
	"github.com/tandem-api/tandem/shared/redisdb/redistest"
)

// TestDev edits a function while the whole project is served by `make dev`, in one
// process, and is asked all the time.
func TestDev(t *testing.T) {
	takesMinutes(t)
	t.Parallel()
	redistest.Need(t, "make")
	const foo = "functions/foo/foo.go"
	p := copyProject(t)
	p.must("make", "binary")
	addr := "127.0.0.1:" + strconv.Itoa(loopback.Port(t))
	p.env = append(p.env, "CATFACTS_URL="+catFacts(t), "DATABASE_URL=", "REDIS_URL=", "LOG_LEVEL=error")
	log, err := os.Create(filepath.Join(p.root, "tmp", "dev.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	said := func() string {
		text, _ := os.ReadFile(log.Name())
		return string(text)
	}
	dev := commandIn(p.root, p.env, "make", "dev", "ARGS=-addr "+addr)
	dev.Stdout, dev.Stderr = log, log
	dev.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that ^C can be sent to all of it
	if err := dev.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = dev.Wait(); close(ended) }()
	interrupt := func() { _ = syscall.Kill(-dev.Process.Pid, syscall.SIGINT) }
	t.Cleanup(func() {
		interrupt()
		<-ended
		if t.Failed() {
			t.Logf("make dev has said:\n%s", said())
		}
	})
	answers := func(path string, status int, want string) func() bool {
		return func() bool {
			answer, err := http.Get("http://" + addr + path)
			if err != nil {
				return false
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			return err == nil && answer.StatusCode == status && strings.Contains(answer.Header.Get("X-Cache")+string(body), want)
		}
	}
	within := func(what string, condition func() bool) {
		t.Helper()
		for deadline := time.Now().Add(4 * time.Minute); !condition(); {
			if time.Now().After(deadline) {
				t.Fatalf("waited in vain until %s", what)
			}
			<-time.After(20 * time.Millisecond)
		}
	}
	within("it serves", answers("/v2/foo", 200, `"hello":"world"`))
	within("a fact is in the cache", answers("/baz", 200, "HIT"))

	var asked, refused atomic.Int64
	done, left := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		each := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // a connection for each
		for {
			select {
			case <-done:
				return
			default:
			}
			asked.Add(1)
			answer, err := each.Get("http://" + addr + "/v2/foo")
			if err != nil {
				refused.Add(1)
				continue
			}
			_ = answer.Body.Close()
		}
	}()
	p.replace(foo, `Hello: "world"`, `Hello: "moon"`)
	within("the edit is served", answers("/v2/foo", 200, `"hello":"moon"`))
	if !answers("/baz", 200, "HIT")() {
		t.Error("the embedded Redis has not outlived the edit")
	}
	p.replace(foo, `Hello: "moon"`, `Hello: moon`)
	within("the compiler's text is served", answers("/health", 503, foo+":56:"))
	p.replace(foo, `Hello: moon`, `Hello: "mars"`)
	within("it is mended", answers("/v2/foo", 200, `"hello":"mars"`))
	close(done)
	<-left
	if refused.Load() > 0 {
		t.Errorf("%d of %d requests had no answer", refused.Load(), asked.Load())
	}
	interrupt()
	apptest.Eventually(t, "it has ended", func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
	if text := said(); strings.Contains(text, "panic") || strings.Contains(text, "fatal error") {
		t.Error("a server has crashed")
	}
}
