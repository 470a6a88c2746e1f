package cache_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/tandem-api/tandem/shared/cache"
)

// rewrite changes the one entry in Redis.
func rewrite(t *testing.T, m *miniredis.Miniredis, change func(string) string) {
	t.Helper()
	keys := m.Keys()
	if len(keys) != 1 {
		t.Fatalf("the keys in Redis are %q, want one", keys)
	}
	entry, err := m.Get(keys[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Set(keys[0], change(entry)); err != nil {
		t.Fatal(err)
	}
}

type request struct {
	method, target string
	headers        []string
}

func TestWhichRequestsShareAnAnswer(t *testing.T) {
	get := func(target string, headers ...string) request { return request{"GET", target, headers} }
	tenant := func(r *http.Request) []string { return []string{r.Header.Get("X-Tenant"), r.Header.Get("X-Role")} }
	var (
		plain    = cache.Options{}
		byAccept = cache.Options{Vary: []string{"accept"}}
		byTenant = cache.Options{By: tenant}
		byLogin  = cache.Options{Vary: []string{"Authorization", "Cookie"}}
		public   = cache.Options{Public: true}
		long     = strings.Repeat("x", 1000)
	)
	for name, c := range map[string]struct {
		o      cache.Options
		a, b   request
		second string // X-Cache of b after a
	}{
		"the same":                      {plain, get("/baz"), get("/baz"), "HIT"},
		"another path":                  {plain, get("/baz/a"), get("/baz/b"), "MISS"},
		"an escaped path":               {plain, get("/baz/a%2Fb"), get("/baz/a/b"), "MISS"},
		"a question mark in the path":   {plain, get("/baz/a%3Fb=1"), get("/baz/a?b=1"), "MISS"},
		"another query":                 {plain, get("/baz?a=1"), get("/baz?a=2"), "MISS"},
		"no query":                      {plain, get("/baz?a=1"), get("/baz"), "MISS"},
		"the order of names":            {plain, get("/baz?a=1&b=2"), get("/baz?b=2&a=1"), "HIT"},
		"the order of a name's values":  {plain, get("/baz?a=1&a=2"), get("/baz?a=2&a=1"), "MISS"},
		"another way to write it":       {plain, get("/baz?a=%31+b"), get("/baz?a=1%20b"), "HIT"},
		"an escaped &":                  {plain, get("/baz?a=1%26b=2"), get("/baz?a=1&b=2"), "MISS"},
		"what does not parse":           {plain, get("/baz?a=1;b=2"), get("/baz?a=1;b=3"), "MISS"},
		"a bad escape":                  {plain, get("/baz?a=%zz"), get("/baz"), "MISS"},
		"a long query":                  {plain, get("/baz?a=" + long), get("/baz?a=" + long), "HIT"},
		"a long query that differs":     {plain, get("/baz?a=" + long + "1"), get("/baz?a=" + long + "2"), "MISS"},
		"HEAD after GET":                {plain, get("/baz"), request{"HEAD", "/baz", nil}, "MISS"},
		"HEAD after HEAD":               {plain, request{"HEAD", "/baz", nil}, request{"HEAD", "/baz", nil}, "HIT"},
		"POST":                          {plain, get("/baz"), request{"POST", "/baz", nil}, "BYPASS"},
		"OPTIONS":                       {plain, get("/baz"), request{"OPTIONS", "/baz", nil}, "BYPASS"},
		"a header that does not matter": {plain, get("/baz", "Accept", "a"), get("/baz", "Accept", "b"), "HIT"},
		"a header that does":            {byAccept, get("/baz", "Accept", "a"), get("/baz", "Accept", "b"), "MISS"},
		"the same header":               {byAccept, get("/baz", "Accept", "a"), get("/baz", "Accept", "a"), "HIT"},
		"no header and an empty one":    {byAccept, get("/baz"), get("/baz", "Accept", ""), "MISS"},
		"one header and two":            {byAccept, get("/baz", "Accept", "a, b"), get("/baz", "Accept", "a", "Accept", "b"), "MISS"},
		"another tenant":                {byTenant, get("/baz", "X-Tenant", "a"), get("/baz", "X-Tenant", "b"), "MISS"},
		"the same tenant":               {byTenant, get("/baz", "X-Tenant", "a"), get("/baz", "X-Tenant", "a"), "HIT"},
		"parts that join alike":         {byTenant, get("/baz", "X-Tenant", "ab", "X-Role", "c"), get("/baz", "X-Tenant", "a", "X-Role", "bc"), "MISS"},
		"a login":                       {plain, get("/baz"), get("/baz", "Authorization", "Bearer a"), "BYPASS"},
		"after a login":                 {plain, get("/baz", "Authorization", "Bearer a"), get("/baz"), "MISS"},
		"a cookie":                      {plain, get("/baz"), get("/baz", "Cookie", "a=b"), "BYPASS"},
		"a login by which it varies":    {byLogin, get("/baz", "Authorization", "Bearer a"), get("/baz", "Authorization", "Bearer a"), "HIT"},
		"another such login":            {byLogin, get("/baz", "Authorization", "Bearer a"), get("/baz", "Authorization", "Bearer b"), "MISS"},
		"no such login":                 {byLogin, get("/baz", "Cookie", "a=b"), get("/baz"), "MISS"},
		"a login at a public route":     {public, get("/baz", "Authorization", "Bearer a"), get("/baz", "Cookie", "a=b"), "HIT"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, c.o, counting())
			s.ask(t, c.a.method, c.a.target, c.a.headers...)
			if second := s.ask(t, c.b.method, c.b.target, c.b.headers...); second.status != 200 || second.cache != c.second {
				t.Errorf("%v after %v: %d %s, want %s", c.b, c.a, second.status, second.cache, c.second)
			}
			for _, key := range s.Redis.Keys() {
				if len(key) > 300 || !strings.HasPrefix(key, "github.com/tandem-api/tandem:cache:1:baz:") || strings.Contains(key, "Bearer") {
					t.Errorf("the key %q", key)
				}
			}
		})
	}
}

func TestTheAnswerNamesWhatItVariesBy(t *testing.T) {
	s := newSite(t, cache.Options{Vary: []string{"Accept", "X-Tenant"}},
		func(w http.ResponseWriter, _ *http.Request) error { w.Header().Set("Vary", "Accept"); return nil })
	for _, g := range []got{s.get(t, "/baz"), s.get(t, "/baz")} {
		if vary := strings.Join(g.header.Values("Vary"), ", "); vary != "Accept, X-Tenant" {
			t.Errorf("%s: Vary %q", g.cache, vary)
		}
	}
}

func TestTheHandlerIsAskedForTheWholeAnswer(t *testing.T) {
	s := newSite(t, cache.Options{TTL: -1}, func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.WriteString(w, r.Header.Get("Range")+r.Header.Get("If-None-Match")+r.Header.Get("X-Other"))
		return err
	})
	want(t, s.get(t, "/baz", "Range", "bytes=0-1", "If-None-Match", `"a"`, "X-Other", "other"), 200, "MISS", "other")
}
