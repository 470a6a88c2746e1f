package isolate_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tandem-api/tandem/localhost/build"
	"github.com/tandem-api/tandem/localhost/gateway"
	"github.com/tandem-api/tandem/localhost/isolate"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
)

// module is a Go module with two functions that share a package.
func module(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/bootstrap/main.go")
	if err != nil {
		t.Fatal(err)
	}
	return files(t, map[string]string{
		"go.mod":              "module example.com/words\n\ngo 1.26\n",
		"one/bootstrap/go.go": string(text),
		"two/bootstrap/go.go": strings.Replace(string(text), `"one"`, `"two"`, 1),
	})
}

const words = `
  OneFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: one/bootstrap
      MemorySize: 256
      Environment: {Variables: {GREETING: hello, AUTH_SECRET: !Ref Secret, DATABASE_URL: "sqlite:tmp/my.db", REDIS_URL: ""}}
      Events: {E: {Type: HttpApi, Properties: {Method: GET, Path: /one}}}
  TwoFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: two/bootstrap
      Events: {E: {Type: HttpApi, Properties: {Method: GET, Path: /two}}}
Parameters:
  Secret: {Type: String, NoEcho: true}
`

func compile(t *testing.T, folder *build.Folder, dir string, described *template.Template) (map[string]string, error) {
	t.Helper()
	sources, err := isolate.Find(dir, described)
	if err != nil {
		t.Fatal(err)
	}
	return isolate.Build(t.Context(), folder, sources)
}

// ask sends a request through the gateway, and reads the JSON that is answered.
func ask(t *testing.T, url string) (status int, text string, env map[string]string) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(body, &env) // of what is not JSON, the text counts
	return answer.StatusCode, string(body), env
}

func open(t *testing.T) *build.Folder {
	t.Helper()
	folder, err := build.Open(filepath.Join(t.TempDir(), "programs"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	return folder
}

func TestFunctionsAsProcesses(t *testing.T) {
	dir, described, folder := module(t), read(t, words), open(t)
	executables, err := compile(t, folder, dir, described)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var lines []string
	fs, err := isolate.New(isolate.Options{
		Template: described, Executables: executables,
		Local: map[string]string{"AUTH_SECRET": "local secret", "REDIS_URL": "redis://local", "DATABASE_URL": "sqlite:other.db"},
		Role:  map[string]string{"AWS_ACCESS_KEY_ID": "key"},
		Lines: func(l lambda.Line) {
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, l.Text)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(gateway.Options{Template: described, Handler: fs.Handler, Isolated: true})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g)
	defer server.Close()

	t.Run("each has its own variables", func(t *testing.T) {
		_, _, one := ask(t, server.URL+"/one")
		here, err := filepath.Abs("tmp/my.db")
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"WORD": "one", "GREETING": "hello", "AUTH_SECRET": "local secret", "REDIS_URL": "redis://local",
			"DATABASE_URL": "sqlite:" + here, "AWS_ACCESS_KEY_ID": "key",
			"AWS_LAMBDA_FUNCTION_NAME": "OneFunction", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		} {
			if one[name] != want {
				t.Errorf("%s is %q, want %q", name, one[name], want)
			}
		}
		_, _, two := ask(t, server.URL+"/two")
		for _, name := range []string{"GREETING", "AUTH_SECRET", "REDIS_URL", "DATABASE_URL", "HOME"} {
			if value, ok := two[name]; ok {
				t.Errorf("the template does not give %s to two, which sees %q", name, value)
			}
		}
	})
	t.Run("an edit is served by new processes", func(t *testing.T) {
		edit(t, filepath.Join(dir, "one/bootstrap/go.go"), `"one"`, `"uno"`)
		again, err := compile(t, folder, dir, described)
		if err != nil {
			t.Fatal(err)
		}
		if again["TwoFunction"] != executables["TwoFunction"] || again["OneFunction"] == executables["OneFunction"] {
			t.Fatalf("before %v, after %v: one has changed, two has not", executables, again)
		}
		if err := fs.Replace("OneFunction", again["OneFunction"]); err != nil {
			t.Fatal(err)
		}
		if one, two := fs.Edits(described.Function("OneFunction")), fs.Edits(described.Function("TwoFunction")); one != 1 || two != 0 {
			t.Errorf("%d and %d edits", one, two)
		}
		if _, _, env := ask(t, server.URL+"/one"); env["WORD"] != "uno" {
			t.Errorf("the answer says %q", env["WORD"])
		}
	})
	t.Run("what does not build says so", func(t *testing.T) {
		edit(t, filepath.Join(dir, "one/bootstrap/go.go"), `"uno"`, `uno`)
		_, err := compile(t, folder, dir, described)
		said, ok := errors.AsType[*build.Error](err)
		if !ok || !strings.Contains(said.Text, "go.go:12:14: undefined: uno") || strings.Contains(err.Error(), "TwoFunction") {
			t.Fatalf("%v", err)
		}
		fs.Break("OneFunction", said.Text)
		if status, text, _ := ask(t, server.URL+"/one"); status != http.StatusServiceUnavailable || text != said.Text+"\n" {
			t.Errorf("%d %s", status, text)
		}
		if status, _, _ := ask(t, server.URL+"/two"); status != http.StatusOK {
			t.Errorf("the other function: %d", status)
		}
		one := described.Function("OneFunction")
		if _, err := fs.Invoke(one)(t.Context(), lambda.Invocation{Payload: []byte("{}")}); err == nil || err.Error() != said.Text {
			t.Errorf("invoked, it says %v", err)
		}
	})
	t.Run("nothing is left", func(t *testing.T) {
		if err := fs.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if status, _, _ := ask(t, server.URL+"/two"); status != http.StatusServiceUnavailable {
			t.Errorf("after Close: %d", status)
		}
		mu.Lock()
		defer mu.Unlock()
		if all := strings.Join(lines, "\n"); strings.Count(all, "REPORT ") != 4 {
			t.Errorf("the log:\n%s", all)
		}
	})
}

func edit(t *testing.T, path, old, fresh string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(strings.Replace(string(text), old, fresh, 1)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
