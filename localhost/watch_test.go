package main

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/tandem-api/tandem/shared/apptest"
)

// TestWatchIsolated edits a function while it is asked all the time.
func TestWatchIsolated(t *testing.T) {
	dir := t.TempDir()
	source := string(readFile(t, "isolate/testdata/bootstrap/main.go"))
	described := func(path string) string {
		return "Resources:\n  Word: {Type: AWS::Serverless::Function, Properties: {CodeUri: word, Timeout: 10, Events: {E: {Type: HttpApi, Properties: {Method: GET, Path: " + path + "}}}}}\n"
	}
	write(t, dir, "go.mod", "module example.com/words\n\ngo 1.26\n")
	write(t, dir, "word/main.go", source)
	write(t, dir, "template.yaml", described("/word"))
	p := start(t, forGo(), "-isolate", "-watch", "-workers", "0", "-template", filepath.Join(dir, "template.yaml"))
	says := func(path, want string) func() bool {
		return func() bool { return strings.Contains(apptest.Get(t, p.url+path).Body, want) }
	}
	p.eventually(t, "it serves", says("/word", `"WORD":"one"`))

	var asked, dropped atomic.Int64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			default:
			}
			answer, err := http.Get(p.url + "/word")
			asked.Add(1)
			if err != nil {
				dropped.Add(1)
				continue
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
	}()
	write(t, dir, "word/main.go", strings.Replace(source, `"one"`, `"two"`, 1))
	p.eventually(t, "the edit is served", says("/word", `"WORD":"two"`))
	write(t, dir, "word/main.go", strings.Replace(source, `"one"`, `nothing`, 1))
	p.eventually(t, "the compiler's text is served", says("/word", "word/main.go:12:14: undefined: nothing"))
	write(t, dir, "word/main.go", strings.Replace(source, `"one"`, `"three"`, 1))
	p.eventually(t, "it is mended", says("/word", `"WORD":"three"`))
	write(t, dir, "template.yaml", described("/other"))
	p.eventually(t, "the template's edit is served", says("/other", `"WORD":"three"`))
	write(t, dir, "template.yaml", "Resources: [")
	p.eventually(t, "what is wrong with the template is served", says("/other", "template.yaml"))
	write(t, dir, "template.yaml", described("/word"))
	p.eventually(t, "that is mended", says("/word", `"WORD":"three"`))

	close(done)
	<-ended
	if dropped.Load() > 0 {
		t.Errorf("%d of %d requests had no answer", dropped.Load(), asked.Load())
	}
	if code := p.stop(t, syscall.SIGTERM); code != 0 || strings.Contains(p.stderr.String(), "fatal error") {
		t.Errorf("exit %d, want 0 and no crash of a server that was replaced\n%s", code, p.stderr)
	}
}
