package fidelity_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/functions/foo"
	"github.com/tandem-api/tandem/localhost/gateway"
	lambda "github.com/tandem-api/tandem/localhost/runtime"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

// What is compared is measured in turns, round after round, since the machine is not
// the same from one second to the next; the medians are reported. -benchtime 9x makes
// nine rounds.

// BenchmarkInProcess compares the host with chi alone, over the same handlers: requests
// a second of eight clients that keep their connections.
func BenchmarkInProcess(b *testing.B) {
	for _, c := range []struct {
		name, path string
		handler    http.Handler
	}{
		{"foo", "/v1/foo", fooHandler(b)},
		{"trivial", "/trivial", routed(trivial)},
	} {
		b.Run(c.name, func(b *testing.B) {
			alone := serve(b, c.handler)
			host := serve(b, inFront(b, false, c.handler))
			var chi, tandem, ratio []float64
			for b.Loop() {
				x, y := inTurns(b, alone, host, c.path)
				chi, tandem, ratio = append(chi, x), append(tandem, y), append(ratio, y/x)
			}
			b.ReportMetric(median(chi), "chi-req/s")
			b.ReportMetric(median(tandem), "host-req/s")
			b.ReportMetric(median(ratio), "host/chi")
			b.ReportMetric(0, "ns/op") // of a round: it says nothing
		})
	}
}

// BenchmarkAsProcesses compares the host with -isolate and without: the time of a
// request, one after the other, and eight at once.
func BenchmarkAsProcesses(b *testing.B) {
	within := serve(b, inFront(b, false, routed(trivial)))
	processes := serve(b, inFront(b, true, pool(b)))
	const path = "/do/length"
	var in, out, atOnce []float64
	for b.Loop() {
		in = append(in, microseconds(latency(b, within, "/trivial")))
		out = append(out, microseconds(latency(b, processes, path)))
		atOnce = append(atOnce, perSecond(b, processes, path, 400*time.Millisecond))
	}
	b.ReportMetric(median(in), "in-process-µs")
	b.ReportMetric(median(out), "processes-µs")
	b.ReportMetric(median(out)-median(in), "more-µs")
	b.ReportMetric(median(atOnce), "8-at-once-req/s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkColdStart compares functions with a bare handler of aws-lambda-go: the time
// from the start of the process until it asks for its first event.
func BenchmarkColdStart(b *testing.B) {
	bare := built(b, "./localhost/fidelity/testdata/raw")
	all := []struct{ name, binary string }{
		{"bare", bare},
		{"fail", built(b, "./functions/fail/bootstrap")}, // no database
		{"foo", built(b, "./functions/foo/bootstrap")},   // a database
		{"jobs", built(b, "./functions/jobs/bootstrap")}, // Redis
	}
	times := map[string][]float64{}
	for b.Loop() {
		for _, f := range all {
			times[f.name] = append(times[f.name], microseconds(coldStart(b, f.binary))/1000)
		}
	}
	for _, f := range all {
		b.ReportMetric(median(times[f.name]), f.name+"-ms")
		if f.binary != bare {
			b.ReportMetric(median(times[f.name])/median(times["bare"]), f.name+"/bare")
		}
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkStart is how long the host takes to read a template of that many functions
// and be ready, and what it then takes to route a request to the last of them.
func BenchmarkStart(b *testing.B) {
	for _, n := range []int{1, 200} {
		text := []byte(functions(n))
		b.Run(fmt.Sprintf("%d functions", n), func(b *testing.B) {
			for b.Loop() {
				start(b, text)
			}
		})
		b.Run(fmt.Sprintf("route among %d", n), func(b *testing.B) {
			g := start(b, text)
			r := httptest.NewRequest("GET", fmt.Sprintf("/v1/f%d/x", n-1), nil)
			const requests = 2000
			for b.Loop() {
				for range requests {
					g.ServeHTTP(httptest.NewRecorder(), r)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/requests, "ns/request")
		})
	}
}

func functions(n int) string {
	var t strings.Builder
	t.WriteString("Resources:\n")
	for i := range n {
		fmt.Fprintf(&t, "  F%[1]d:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: functions/f%[1]d\n      Events:\n        E: {Type: HttpApi, Properties: {Method: GET, Path: '/v{version}/f%[1]d/{id}'}}\n", i)
	}
	return t.String()
}

func start(b *testing.B, text []byte) http.Handler {
	b.Helper()
	t, err := template.Parse("template.yaml", text, template.Options{})
	if err != nil {
		b.Fatal(err)
	}
	g, err := gateway.New(gateway.Options{Template: t, Handler: func(*template.Function) (http.Handler, error) {
		return http.HandlerFunc(trivial), nil
	}})
	if err != nil {
		b.Fatal(err)
	}
	return g
}

// routed is a handler on a chi router, as a function's are.
func routed(h http.HandlerFunc) http.Handler {
	r := chi.NewRouter()
	r.Get("/trivial", h)
	return r
}

func trivial(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "body") }

// fooHandler is the function foo over a database with its tables.
func fooHandler(b *testing.B) http.Handler {
	b.Helper()
	url := string(apptest.DatabaseURL(b))
	c, err := config.FromEnv(func(key string) (string, bool) { return url, key == "DATABASE_URL" })
	if err != nil {
		b.Fatal(err)
	}
	app := function.New(c, io.Discard)
	b.Cleanup(func() { _ = app.Close(context.Background()) })
	h, err := foo.Function.Handler(app)
	if err != nil {
		b.Fatal(err)
	}
	return h
}

// inFront puts the gateway in front of a handler, with the routes of the benchmarks.
func inFront(b *testing.B, isolated bool, h http.Handler) http.Handler {
	b.Helper()
	t, err := template.Parse("template.yaml", []byte(`Resources:
  Probe:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: probe
      Events:
        Foo: {Type: HttpApi, Properties: {Method: GET, Path: "/v{version}/foo"}}
        Trivial: {Type: HttpApi, Properties: {Method: GET, Path: /trivial}}
        Do: {Type: HttpApi, Properties: {Method: GET, Path: "/do/{what}"}}
`), template.Options{})
	if err != nil {
		b.Fatal(err)
	}
	g, err := gateway.New(gateway.Options{Template: t, Isolated: isolated, Handler: func(*template.Function) (http.Handler, error) { return h, nil }})
	if err != nil {
		b.Fatal(err)
	}
	return g
}

// pool runs the probe in processes.
func pool(b *testing.B) http.Handler {
	b.Helper()
	host, err := lambda.NewHost(lambda.Options{TempDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = host.Close(ctx)
	})
	p, err := host.NewPool(lambda.Function{Name: "Probe", Command: []string{built(b, "./localhost/fidelity/probe/bootstrap")}, Timeout: time.Minute, MemoryMB: 512})
	if err != nil {
		b.Fatal(err)
	}
	return &lambda.Handler{Invoke: p.Invoke, Event: gateway.Event, Refuse: gateway.Refuse}
}

func serve(b *testing.B, h http.Handler) string {
	b.Helper()
	s := httptest.NewServer(h)
	b.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// client is one that costs next to nothing: it knows how long an answer is.
type client struct {
	net.Conn
	request []byte
	answer  []byte
}

func newClient(b *testing.B, addr, path string) *client {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	c := &client{Conn: conn, request: []byte("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")}
	if _, err := conn.Write(c.request); err != nil {
		b.Fatal(err)
	}
	var first bytes.Buffer
	got, err := http.ReadResponse(bufio.NewReader(io.TeeReader(conn, &first)), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		b.Fatal(got.Status)
	}
	if _, err := io.Copy(io.Discard, got.Body); err != nil {
		b.Fatal(err)
	}
	c.answer = make([]byte, first.Len())
	return c
}

// ask sends a request and takes the answer, which must be good.
func (c *client) ask() error {
	if _, err := c.Write(c.request); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, c.answer); err != nil {
		return err
	}
	if !bytes.HasPrefix(c.answer, []byte("HTTP/1.1 200 OK\r\n")) {
		return fmt.Errorf("the answer is %q", c.answer)
	}
	return nil
}

// inTurns asks two servers in turns, each first as often as the other, and returns
// their requests a second.
func inTurns(b *testing.B, one, other, path string) (x, y float64) {
	b.Helper()
	const turns, turn = 8, 60 * time.Millisecond
	for i := range turns {
		if i%2 == 0 {
			x += perSecond(b, one, path, turn)
		}
		y += perSecond(b, other, path, turn)
		if i%2 == 1 {
			x += perSecond(b, one, path, turn)
		}
	}
	return x / turns, y / turns
}

// perSecond asks by eight clients for a while.
func perSecond(b *testing.B, addr, path string, while time.Duration) float64 {
	b.Helper()
	const clients = 8
	var done atomic.Int64
	all := make([]*client, clients)
	for i := range all {
		all[i] = newClient(b, addr, path)
		defer all[i].Close()
	}
	begun := time.Now()
	var wg sync.WaitGroup
	for _, c := range all {
		wg.Go(func() {
			for time.Since(begun) < while {
				if err := c.ask(); err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(begun).Seconds()
}

// latency is the median of requests, one after the other.
func latency(b *testing.B, addr, path string) time.Duration {
	b.Helper()
	c := newClient(b, addr, path)
	defer c.Close()
	times := make([]time.Duration, 200)
	for i := range times {
		begun := time.Now()
		if err := c.ask(); err != nil {
			b.Fatal(err)
		}
		times[i] = time.Since(begun)
	}
	return median(times)
}

func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

func median[T float64 | time.Duration](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// built compiles a bootstrap as `make build` does.
func built(b *testing.B, pkg string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bootstrap")
	cmd := exec.CommandContext(b.Context(), "go", "build", "-tags=lambda.norpc", "-trimpath", "-ldflags=-s -w", "-o", path, pkg)
	cmd.Dir, cmd.Env = apptest.Root(b), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return path
}

// coldStart starts a bootstrap, waits until it asks for an event, and ends it.
func coldStart(b *testing.B, binary string) time.Duration {
	b.Helper()
	asked := make(chan time.Time, 8)
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- time.Now()
		<-r.Context().Done()
	}))
	defer api.Close()
	cmd := exec.Command(binary)
	cmd.Dir = b.TempDir()
	cmd.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME=f", "TZ=UTC",
		"DATABASE_URL=sqlite:" + filepath.Join(cmd.Dir, "a.db"), "AUTH_SECRET=" + string(apptest.AuthSecret), "REDIS_URL=redis://127.0.0.1:1",
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	select {
	case at := <-asked:
		return at.Sub(begun)
	case <-time.After(20 * time.Second):
		b.Fatalf("%s asks for no event", binary)
		return 0
	}
}
