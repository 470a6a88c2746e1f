package cache_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/cache"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
)

// counting is a handler that answers with the number of its calls.
func counting() function.Handler {
	var calls atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = io.WriteString(w, strconv.FormatInt(calls.Add(1), 10))
		return nil
	}
}

func TestAHitIsTheAnswerThatWasMade(t *testing.T) {
	s := newSite(t, cache.Options{}, func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "application/json")
		w.Header()["X-List"] = []string{"a", "b, c"}
		w.Header().Set("X-Request-Id", "1")
		w.Header().Set("Server-Timing", "db;dur=1")
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "1")
		w.WriteHeader(http.StatusAccepted)
		w.Header().Set("X-Late", "1")
		_, _ = io.WriteString(w, "{\"a\":\n")
		_, err := io.WriteString(w, "\"\x00\xff\"}")
		return err
	})
	miss, hit := s.get(t, "/baz"), s.get(t, "/baz")
	want(t, miss, 202, "MISS", "{\"a\":\n\"\x00\xff\"}")
	want(t, hit, 202, "HIT", miss.body)
	for name, values := range map[string][]string{
		"Content-Type": {"application/json"}, "X-List": {"a", "b, c"}, "X-Late": nil,
	} {
		if !slices.Equal(miss.header[name], values) || !slices.Equal(hit.header[name], values) {
			t.Errorf("%s: %q, then %q, want %q", name, miss.header[name], hit.header[name], values)
		}
	}
	for _, name := range []string{"X-Request-Id", "Server-Timing", "X-Hop"} {
		if miss.header.Get(name) == "" || hit.header.Get(name) != "" {
			t.Errorf("%s: %q, then %q, want it only on the first", name, miss.header.Get(name), hit.header.Get(name))
		}
	}
	if miss.header.Get("Age") != "" || hit.header.Get("Age") != "0" {
		t.Errorf("Age %q, then %q, want none, then 0", miss.header.Get("Age"), hit.header.Get("Age"))
	}
}

func TestAgeIsInWholeSeconds(t *testing.T) {
	s := newSite(t, cache.Options{}, counting())
	s.get(t, "/baz")
	for older, age := range map[time.Duration]string{7900 * time.Millisecond: "7", -time.Hour: "0"} {
		rewrite(t, s.Redis, func(entry string) string {
			return regexp.MustCompile(`"stored":\d+`).ReplaceAllString(entry, fmt.Sprintf(`"stored":%d`, time.Now().Add(-older).UnixMilli()))
		})
		if hit := s.get(t, "/baz"); hit.header.Get("Age") != age {
			t.Errorf("%s old: Age %q, want %s", older, hit.header.Get("Age"), age)
		}
	}
}

func TestAnAnswerIsKeptForItsTime(t *testing.T) {
	for name, c := range map[string]struct {
		o    cache.Options
		own  time.Duration // what the handler says; 1 for nothing
		kept time.Duration
	}{
		"a minute by default":     {cache.Options{}, 1, time.Minute},
		"as the route says":       {cache.Options{TTL: time.Hour}, 1, time.Hour},
		"as the handler says":     {cache.Options{TTL: time.Hour}, 5 * time.Second, 5 * time.Second},
		"longer than the route":   {cache.Options{TTL: time.Second}, time.Hour, time.Hour},
		"not, the handler says":   {cache.Options{}, 0, 0},
		"not, the route says":     {cache.Options{TTL: -1}, 1, 0},
		"the handler overrules":   {cache.Options{TTL: -1}, time.Second, time.Second},
		"less than a millisecond": {cache.Options{}, time.Microsecond, time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			inner := counting()
			s := newSite(t, c.o, func(w http.ResponseWriter, r *http.Request) error {
				if c.own != 1 {
					cache.For(r.Context(), c.own)
				}
				return inner(w, r)
			})
			want(t, s.get(t, "/baz"), 200, "MISS", "1")
			if c.kept == 0 {
				want(t, s.get(t, "/baz"), 200, "MISS", "2")
				return
			}
			s.Redis.FastForward(c.kept - time.Millisecond)
			if c.kept > time.Millisecond {
				want(t, s.get(t, "/baz"), 200, "HIT", "1")
			}
			s.Redis.FastForward(time.Millisecond)
			want(t, s.get(t, "/baz"), 200, "MISS", "2")
		})
	}
}

func TestForIsHarmlessWithoutARoute(t *testing.T) { cache.For(t.Context(), time.Second) }

// Each case asks twice; the answer to the second shows whether the first was kept.
func TestWhatIsKept(t *testing.T) {
	set := func(pairs ...string) function.Handler {
		return func(w http.ResponseWriter, _ *http.Request) error {
			for i := 0; i < len(pairs); i += 2 {
				w.Header().Add(pairs[i], pairs[i+1])
			}
			return nil
		}
	}
	status := func(status int) function.Handler {
		return func(w http.ResponseWriter, _ *http.Request) error { w.WriteHeader(status); return nil }
	}
	size := func(n int) function.Handler {
		return func(w http.ResponseWriter, _ *http.Request) error {
			_, err := w.Write(make([]byte, n))
			return err
		}
	}
	fails := func(err error) function.Handler {
		return func(http.ResponseWriter, *http.Request) error { return err }
	}
	for name, c := range map[string]struct {
		o    cache.Options
		h    function.Handler
		kept bool
	}{
		"nothing written":            {cache.Options{}, set(), true},
		"no content":                 {cache.Options{}, status(204), true},
		"a redirect":                 {cache.Options{}, status(301), true},
		"a part":                     {cache.Options{}, status(206), false},
		"not modified":               {cache.Options{}, status(304), false},
		"not found":                  {cache.Options{}, status(404), false},
		"not found, if asked to":     {cache.Options{Keep: func(s int) bool { return s == 404 }}, status(404), true},
		"found, if not asked to":     {cache.Options{Keep: func(s int) bool { return s == 404 }}, status(200), false},
		"a part, even if asked to":   {cache.Options{Keep: func(int) bool { return true }}, status(206), false},
		"an error that is written":   {cache.Options{}, status(500), false},
		"an error that is returned":  {cache.Options{}, fails(errors.New("oh")), false},
		"a client's error":           {cache.Options{}, fails(httperror.New(404, "none")), false},
		"a cookie":                   {cache.Options{}, set("Set-Cookie", "a=b"), false},
		"private":                    {cache.Options{}, set("Cache-Control", "max-age=60, Private"), false},
		"private in part":            {cache.Options{}, set("Cache-Control", `private="x"`), false},
		"no-store":                   {cache.Options{}, set("Cache-Control", "max-age=60", "Cache-Control", "no-store"), false},
		"no-cache":                   {cache.Options{}, set("Cache-Control", "no-cache"), false},
		"public":                     {cache.Options{}, set("Cache-Control", "public, max-age=1"), true},
		"varies by what is named":    {cache.Options{Vary: []string{"Accept"}}, set("Vary", "accept"), true},
		"varies by something else":   {cache.Options{Vary: []string{"Accept"}}, set("Vary", "Accept, Origin"), false},
		"varies by everything":       {cache.Options{}, set("Vary", "*"), false},
		"a header that is not UTF-8": {cache.Options{}, set("X-Name", "M\xfcller"), false},
		"the largest body":           {cache.Options{}, size(1 << 20), true},
		"a body too large":           {cache.Options{}, size(1<<20 + 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int64
			s := newSite(t, c.o, func(w http.ResponseWriter, r *http.Request) error {
				calls.Add(1)
				return c.h(w, r)
			})
			first, second := s.get(t, "/baz"), s.get(t, "/baz")
			if kept := calls.Load() == 1; kept != c.kept || (second.cache == "HIT") != kept {
				t.Errorf("%d calls, X-Cache %q, want kept = %t", calls.Load(), second.cache, c.kept)
			}
			if first.status != second.status || !strings.Contains(first.header.Get("Content-Type"), "problem") && first.body != second.body ||
				!slices.Equal(first.header["Content-Type"], second.header["Content-Type"]) {
				t.Errorf("first %d %.100q, second %d %.100q", first.status, first.body, second.status, second.body)
			}
		})
	}
}

func TestABodyThatIsTooLargeIsServedWhole(t *testing.T) {
	piece := strings.Repeat("0123456789abcdef", 1<<10)
	s := newSite(t, cache.Options{Vary: []string{"Accept"}}, func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("X-Kept", "1")
		w.WriteHeader(http.StatusAccepted)
		for range 200 {
			if _, err := io.WriteString(w, piece); err != nil {
				return err
			}
		}
		return nil
	})
	g := s.get(t, "/baz")
	want(t, g, 202, "MISS", strings.Repeat(piece, 200))
	if g.header.Get("X-Kept") != "1" || g.header.Get("Vary") != "Accept" {
		t.Errorf("header %v", g.header)
	}
}

func TestAnEntryThatIsNotUnderstoodIsAMiss(t *testing.T) {
	for name, damage := range map[string]func(string) string{
		"empty":           func(string) string { return "" },
		"no first line":   func(e string) string { return strings.ReplaceAll(e, "\n", " ") },
		"not JSON":        func(e string) string { return "x" + e },
		"a cut body":      func(e string) string { return e[:len(e)-1] },
		"a longer body":   func(e string) string { return e + "x" },
		"a wrong status":  func(e string) string { return strings.Replace(e, `"status":200`, `"status":99`, 1) },
		"no time":         func(e string) string { return strings.Replace(e, `"stored"`, `"other"`, 1) },
		"another program": func(string) string { return "\x80\x04\x95pickle\n" },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, cache.Options{}, counting())
			want(t, s.get(t, "/baz"), 200, "MISS", "1")
			rewrite(t, s.Redis, damage)
			want(t, s.get(t, "/baz"), 200, "MISS", "2")
			want(t, s.get(t, "/baz"), 200, "HIT", "2")
			if s.logged("not understood") != 1 {
				t.Error("the log does not tell")
			}
		})
	}
	t.Run("another type", func(t *testing.T) {
		s := newSite(t, cache.Options{}, counting())
		s.get(t, "/baz")
		key := s.Redis.Keys()[0]
		s.Redis.Del(key)
		_, _ = s.Redis.Push(key, "a list")
		want(t, s.get(t, "/baz"), 200, "MISS", "2")
		want(t, s.get(t, "/baz"), 200, "HIT", "2")
	})
}
