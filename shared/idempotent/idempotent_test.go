package idempotent_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/idempotent"
)

// work is a function that counts what it does, and does what its body says.
type work struct {
	done atomic.Int64
	hold chan struct{} // "wait" waits for it
	held chan struct{}
}

func (k *work) function() function.Function {
	return function.Function{Name: "work", Routes: func(app *function.App, r chi.Router) error {
		login, err := auth.Required(app)
		if err != nil {
			return err
		}
		r.Use(login, idempotent.Once(app))
		r.Post("/{path}", app.Handle(func(w http.ResponseWriter, r *http.Request) error {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			n := k.done.Add(1)
			switch {
			case strings.HasPrefix(string(body), "fail") && n == 1:
				return httperror.New(http.StatusConflict, "not now")
			case string(body) == "panic" && n == 1:
				panic("at the first time")
			case string(body) == "wait":
				k.held <- struct{}{}
				<-k.hold
			case string(body) == "silence":
				return nil
			}
			w.Header().Set("Location", fmt.Sprint("/", n))
			w.WriteHeader(http.StatusCreated)
			_, err = fmt.Fprintf(w, "%d: %d bytes", n, len(body))
			return err
		}))
		return nil
	}}
}

func setUp(t *testing.T) (*apptest.App, *work, func(user, path, key, body string) apptest.Answer) {
	t.Helper()
	app := apptest.New(t)
	k := &work{hold: make(chan struct{}), held: make(chan struct{}, 1)}
	url := app.Serve(k.function())
	return app, k, func(user, path, key, body string) apptest.Answer {
		t.Helper()
		h := http.Header{"Authorization": {"Bearer " + app.Token(user)}}
		if key != "" {
			h.Set("Idempotency-Key", key)
		}
		return apptest.Do(t, "POST", url+path, body, h)
	}
}

func TestOnceForEachUserRouteKeyAndDay(t *testing.T) {
	app, k, post := setUp(t)
	first := post("ada", "/a", "k", "x")
	for _, test := range []struct {
		name                  string
		user, path, key, body string
		status                int
		again                 bool // the answer of the first
	}{
		{"the same", "ada", "/a", "k", "x", 201, true},
		{"another body", "ada", "/a", "k", "y", 422, false},
		{"another user", "bob", "/a", "k", "x", 201, false},
		{"another route", "ada", "/b", "k", "x", 201, false},
		{"another key", "ada", "/a", "l", "x", 201, false},
		{"no key", "ada", "/a", "", "x", 201, false},
		{"the same, still", "ada", "/a", "k", "x", 201, true},
		{"a long key", "ada", "/a", strings.Repeat("k", 256), "x", 400, false},
	} {
		got := post(test.user, test.path, test.key, test.body)
		again := got.Body == first.Body && got.Header.Get("Location") == first.Header.Get("Location")
		if got.Status != test.status || again != test.again || again != (got.Header.Get("Idempotency-Replayed") == "true") {
			t.Errorf("%s: %d %s", test.name, got.Status, got.Body)
		}
	}
	if n := k.done.Load(); n != 5 {
		t.Errorf("done %d times", n)
	}
	app.Redis.FastForward(24*time.Hour + time.Second)
	if got := post("ada", "/a", "k", "y"); got.Status != http.StatusCreated {
		t.Errorf("a day later: %d %s", got.Status, got.Body)
	}
}

// Who takes a name that another has given up does not get the other's answers.
func TestAKeyIsTheUsersWhateverTheName(t *testing.T) {
	app := apptest.New(t)
	url := app.Serve((&work{}).function())
	as := func(name string, id int64) apptest.Answer {
		token, _, err := auth.Begin(name, id, "").Token(app.Config)
		if err != nil {
			t.Fatal(err)
		}
		return apptest.Do(t, "POST", url+"/a", "x", http.Header{"Authorization": {"Bearer " + token}, "Idempotency-Key": {"k"}})
	}
	first := as("ada", 1)
	for who, got := range map[string]struct {
		apptest.Answer
		again bool
	}{
		"the user, renamed":             {as("Ada L.", 1), true},
		"another, who has the name now": {as("ada", 2), false},
	} {
		if again := got.Body == first.Body; got.Status != http.StatusCreated || again != got.again {
			t.Errorf("%s: %d %s, after %s", who, got.Status, got.Body, first.Body)
		}
	}
}

func TestWhatFailedMayBeTriedAgain(t *testing.T) {
	for _, body := range []string{"fail", "panic"} {
		t.Run(body, func(t *testing.T) {
			_, k, post := setUp(t)
			if got := post("ada", "/a", "k", body); got.Status < 400 {
				t.Fatalf("%d %s", got.Status, got.Body)
			}
			for range 2 {
				if got := post("ada", "/a", "k", body); got.Status != http.StatusCreated || k.done.Load() != 2 {
					t.Errorf("%d %s, done %d times", got.Status, got.Body, k.done.Load())
				}
			}
		})
	}
}

func TestOneIsUnderWay(t *testing.T) {
	_, k, post := setUp(t)
	var all sync.WaitGroup
	all.Go(func() {
		if got := post("ada", "/a", "k", "wait"); got.Status != http.StatusCreated {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	})
	<-k.held
	if got := post("ada", "/a", "k", "wait"); got.Status != http.StatusConflict || got.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	close(k.hold)
	all.Wait()
	if got := post("ada", "/a", "k", "wait"); got.Status != http.StatusCreated || k.done.Load() != 1 {
		t.Errorf("%d %s, done %d times", got.Status, got.Body, k.done.Load())
	}
}

func TestManyAtOnceDoItOnce(t *testing.T) {
	_, k, post := setUp(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if got := post("ada", "/a", "k", "x"); got.Status != http.StatusCreated && got.Status != http.StatusConflict {
				t.Errorf("%d %s", got.Status, got.Body)
			}
		})
	}
	all.Wait()
	if n := k.done.Load(); n != 1 {
		t.Errorf("done %d times", n)
	}
}

func TestBodies(t *testing.T) {
	_, k, post := setUp(t)
	for name, body := range map[string]string{"empty": "", "large": strings.Repeat("x", 1<<20), "too large to keep": strings.Repeat("x", 1<<20+1)} {
		if got := post("ada", "/a", name, body); got.Status != http.StatusCreated || !strings.HasSuffix(got.Body, fmt.Sprintf(": %d bytes", len(body))) {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	before := k.done.Load()
	for range 2 {
		if got := post("ada", "/a", "silence", "silence"); got.Status != http.StatusOK || got.Body != "" {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	if n := k.done.Load() - before; n != 1 {
		t.Errorf("an answer without a body: done %d times", n)
	}
}

func TestWithoutRedisNothingIsPromised(t *testing.T) {
	app, k, post := setUp(t)
	app.Redis.Close()
	if got := post("ada", "/a", "k", "x"); got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" || k.done.Load() != 0 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := post("ada", "/a", "", "x"); got.Status != http.StatusCreated {
		t.Errorf("without a key: %d %s", got.Status, got.Body)
	}
}
