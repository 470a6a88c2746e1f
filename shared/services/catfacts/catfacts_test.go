package catfacts

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
)

// newService is a local cat facts service.
func newService(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestFact(t *testing.T) {
	var got *http.Request
	s := newService(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		_, _ = io.WriteString(w, `{"fact":"Cats have 32 muscles in each ear.","length":33,"new":"field"}`)
	})
	fact, err := New(s.URL + "/v2").Fact(t.Context())
	if fact != "Cats have 32 muscles in each ear." || err != nil {
		t.Errorf("Fact() = %q, %v", fact, err)
	}
	if got.Method != "GET" || got.URL.String() != "/v2/fact" || got.Header.Get("Accept") != "application/json" ||
		!strings.HasPrefix(got.UserAgent(), "tandem") {
		t.Errorf("asked %s %s, %v", got.Method, got.URL, got.Header)
	}
}

func TestAnswersThatAreNoFact(t *testing.T) {
	status := func(want int) func(error) bool {
		return func(err error) bool {
			e, ok := errors.AsType[*StatusError](err)
			return ok && e.Status == want
		}
	}
	is := func(target error) func(error) bool {
		return func(err error) bool { return errors.Is(err, target) }
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   func(error) bool
	}{
		"not found":           {answering(404, `{"fact":"no"}`), status(404)},
		"too many requests":   {answering(429, ``), status(429)},
		"broken":              {answering(500, `oh`), status(500)},
		"no content":          {answering(204, ``), status(204)},
		"another host":        {redirect("http://localhost.invalid/fact"), status(302)},
		"another scheme":      {func(w http.ResponseWriter, r *http.Request) { redirect("https://"+r.Host+"/fact")(w, r) }, status(302)},
		"in circles":          {redirect("/fact"), status(302)},
		"nothing":             {answering(200, ``), is(ErrMalformed)},
		"HTML":                {answering(200, `<html>`), is(ErrMalformed)},
		"cut JSON":            {answering(200, `{"fact":"Cats`), is(ErrMalformed)},
		"two documents":       {answering(200, `{"fact":"a"}{"fact":"b"}`), is(ErrMalformed)},
		"another type":        {answering(200, `{"fact":7}`), is(ErrMalformed)},
		"a list":              {answering(200, `["fact"]`), is(ErrMalformed)},
		"no fact":             {answering(200, `{"length":0}`), is(ErrMalformed)},
		"an empty fact":       {answering(200, `{"fact":" \n"}`), is(ErrMalformed)},
		"a null":              {answering(200, `null`), is(ErrMalformed)},
		"huge":                {answering(200, `{"fact":"`+strings.Repeat("x", maxBody)+`"}`), is(ErrMalformed)},
		"huge when inflated":  {zipped(`{"fact":"` + strings.Repeat("x", 1<<20) + `"}`), is(ErrMalformed)},
		"huge headers":        {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 2*maxBody)) }, is(ErrUnavailable)},
		"broken off":          {breakOff(`{"fact":"`), is(ErrUnavailable)},
		"broken off at once":  {breakOff(""), is(ErrUnavailable)},
		"an error broken off": {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503); breakOff("x")(w, r) }, status(503)},
	} {
		t.Run(name, func(t *testing.T) {
			fact, err := New(newService(t, c.answer).URL).Fact(t.Context())
			if fact != "" || err == nil || !c.want(err) {
				t.Errorf("Fact() = %q, %v (%T)", fact, err, err)
			}
		})
	}
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

func zipped(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, body)
		_ = z.Close()
	}
}

func breakOff(after string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, after)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func TestARedirectWithinTheServiceIsFollowed(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/fact" {
			http.Redirect(w, r, "/facts/random", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, `{"fact":"followed"}`)
	})
	if fact, err := New(s.URL).Fact(t.Context()); fact != "followed" || err != nil {
		t.Errorf("Fact() = %q, %v", fact, err)
	}
}

func TestAServiceThatIsNotThere(t *testing.T) {
	for name, base := range map[string]string{"nobody listens": "http://127.0.0.1:1", "a bad URL": "http://[::1"} {
		if _, err := New(base).Fact(t.Context()); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", name, err)
		}
	}
}

// The services of these cases never end their answers; the clock is synctest's, so
// that three seconds pass at once.
func TestASlowServiceCostsThreeSeconds(t *testing.T) {
	for name, serve := range map[string]func(net.Conn){
		"nothing comes": func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"the body drips": func(c net.Conn) {
			_, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil {
				return
			}
			_, err = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
			drips := time.NewTicker(100 * time.Millisecond)
			defer drips.Stop()
			for err == nil {
				<-drips.C
				_, err = io.WriteString(c, " ")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var serving sync.WaitGroup
				defer serving.Wait() // it ends when the client hangs up
				c := New("http://cats.invalid")
				c.http.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					serving.Go(func() { serve(theirs) })
					return ours, nil
				}
				start := time.Now()
				_, err := c.Fact(t.Context())
				if !errors.Is(err, ErrTimeout) || time.Since(start) != 3*time.Second {
					t.Errorf("%v after %s, want ErrTimeout after 3 s", err, time.Since(start))
				}
			})
		})
	}
}

func TestTheCallersOwnEnd(t *testing.T) {
	asked := make(chan struct{}, 1)
	s := newService(t, func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	})
	c := New(s.URL)

	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := c.Fact(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, ErrTimeout) || errors.Is(err, ErrUnavailable) {
		t.Errorf("cancelled: %v, want the context's error alone", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Fact(ctx); !errors.Is(err, ErrTimeout) {
		t.Errorf("past the deadline: %v, want ErrTimeout", err)
	}
}

func TestManyCallsShareFewConnections(t *testing.T) {
	var mu sync.Mutex
	opened := 0
	s := httptest.NewUnstartedServer(answering(200, `{"fact":"a"}`))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			mu.Lock()
			opened++
			mu.Unlock()
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c := New(s.URL)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if _, err := c.Fact(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if opened > 16 {
		t.Errorf("%d connections were opened, want 16 at most", opened)
	}
}

func TestOfIsTheAppsOwn(t *testing.T) {
	s := newService(t, answering(200, `{"fact":"a"}`))
	app := function.New(config.Config{CatfactsURL: s.URL}, io.Discard)
	one, err := Of(app)
	if err != nil {
		t.Fatal(err)
	}
	if two, _ := Of(app); one != two {
		t.Error("an App has two clients")
	}
	if _, err := one.Fact(t.Context()); err != nil {
		t.Error(err)
	}
	if err := app.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
