// Command function is a bootstrap that does what its event says, for the tests.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do     string `json:"do"`
	Text   string `json:"text"`
	N      int    `json:"n"`
	File   string `json:"file"`   // a file to write
	Unless string `json:"unless"` // a file to wait for
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "allocate" { // as the child of "child"
		n, _ := strconv.Atoi(os.Args[2])
		held := allocate(n)
		waitFor("/no/such/file")
		fmt.Println(len(held))
	}
	atStart(os.Getenv("AT_START"))
	lambda.StartWithOptions(handle, lambda.WithEnableSIGTERM(func() {
		if f := os.Getenv("ON_SIGTERM"); f != "" {
			_ = os.WriteFile(f, []byte("terminated"), 0o600)
		}
		if os.Getenv("AT_START") != "stubborn" {
			os.Exit(0)
		}
	}))
}

// atStart does what goes wrong before the first event.
func atStart(what string) {
	once := filepath.Join(os.TempDir(), "started")
	_, again := os.Stat(once)
	_ = os.WriteFile(once, nil, 0o600)
	switch what {
	case "exit":
		fmt.Println("about to exit")
		os.Exit(3)
	case "exit-once":
		if again != nil {
			os.Exit(3)
		}
	case "hang":
		hang()
	case "hang-once":
		if again != nil {
			hang()
		}
	}
}

func handle(ctx context.Context, raw json.RawMessage) (any, error) {
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, err
	}
	switch e.Do {
	case "echo":
		return raw, nil
	case "raw": // not even JSON, perhaps
		return strings.NewReader(e.Text), nil
	case "context":
		return describe(ctx), nil
	case "environ":
		return os.Environ(), nil
	case "pid":
		return os.Getpid(), nil
	case "error":
		return nil, errors.New(e.Text)
	case "panic":
		panic(e.Text)
	case "exit":
		os.Exit(e.N)
	case "hang":
		hang()
	case "print":
		fmt.Print(e.Text)
		return nil, nil
	case "size":
		return strings.Repeat("x", max(0, e.N-2)), nil // with its quotes, N bytes of JSON
	case "allocate":
		return len(allocate(e.N)), nil
	case "child":
		return nil, exec.CommandContext(ctx, os.Args[0], "allocate", strconv.Itoa(e.N)).Run()
	case "flood":
		return nil, flood(e.N)
	case "answer and exit":
		http.DefaultTransport = lastWords{http.DefaultTransport} // the runtime's client has no other
		return "bye", nil
	case "close":
		return nil, errors.Join(os.Stdout.Close(), os.Stderr.Close())
	case "count":
		return count(filepath.Join(os.TempDir(), "count"))
	case "wait":
		if err := os.WriteFile(e.File, nil, 0o600); err != nil {
			return nil, err
		}
		waitFor(e.Unless)
		return os.Getpid(), nil
	case "tick":
		go tick(e.File)
		waitFor(e.File)
		return nil, nil
	case "spawn":
		return spawn()
	case "raw stream":
		return &chunks{e: e}, nil
	case "stream":
		return &events.LambdaFunctionURLStreamingResponse{
			StatusCode: 201, Headers: map[string]string{"X-From": "stream"}, Cookies: []string{"a=1"},
			Body: &chunks{e: e},
		}, nil
	}
	return nil, fmt.Errorf("what is %q?", e.Do)
}

func describe(ctx context.Context) map[string]any {
	lc, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return map[string]any{
		"requestId": lc.AwsRequestID, "arn": lc.InvokedFunctionArn, "client": lc.ClientContext.Custom,
		"identity": lc.Identity.CognitoIdentityID, "left": time.Until(deadline).Seconds(),
		"trace": os.Getenv("_X_AMZN_TRACE_ID"), "name": lambdacontext.FunctionName,
		"group": lambdacontext.LogGroupName, "stream": lambdacontext.LogStreamName,
		"memory": lambdacontext.MemoryLimitInMB, "version": lambdacontext.FunctionVersion,
	}
}

// allocate uses n MiB, page by page.
func allocate(n int) []byte {
	b := make([]byte, n<<20)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	return b
}

func count(file string) (int, error) {
	b, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return 0, err
	}
	n, _ := strconv.Atoi(string(b))
	return n + 1, os.WriteFile(file, []byte(strconv.Itoa(n+1)), 0o600)
}

// flood prints n MiB.
func flood(n int) error {
	line := []byte(strings.Repeat("x", 1023) + "\n")
	for range n << 10 {
		if _, err := os.Stdout.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// tick goes on after the answer: it makes a file longer.
func tick(file string) {
	f, err := os.Create(file)
	if err != nil {
		return
	}
	for {
		_, _ = f.WriteString(".")
		time.Sleep(time.Millisecond)
	}
}

// spawn leaves a child behind.
func spawn() (int, error) {
	cmd := exec.Command("sleep", "600")
	cmd.Stdout = os.Stdout // it keeps the log open
	err := cmd.Start()
	if err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
}

func waitFor(file string) {
	for {
		if _, err := os.Stat(file); err == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// chunks is a body of two parts, the second of which may wait, fail or be endless.
type chunks struct {
	e    event
	sent int
}

func (c *chunks) Read(p []byte) (int, error) {
	c.sent++
	switch c.sent {
	case 1:
		return copy(p, "one "), nil
	case 2:
		if c.e.Unless != "" {
			waitFor(c.e.Unless)
		}
		switch c.e.Text {
		case "fail":
			return 0, errors.New("the stream broke")
		case "exit":
			os.Exit(7)
		case "hang":
			hang()
		}
		return copy(p, "two"), nil
	}
	return 0, io.EOF
}

// lastWords ends the process as soon as it has answered.
type lastWords struct{ http.RoundTripper }

func (l lastWords) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := l.RoundTripper.RoundTrip(r)
	if r.Method == http.MethodPost && err == nil {
		os.Exit(1)
	}
	return answer, err
}

// hang waits for what never comes. Without any other goroutine, and without cgo's
// threads, Go would take an empty select for a deadlock, and end.
func hang() { time.Sleep(time.Duration(math.MaxInt64)) }
