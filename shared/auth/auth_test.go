package auth_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/logging"
)

const (
	current  = "the-current-secret-of-at-least-32-bytes"
	previous = "the-previous-secret-of-at-least-32-bytes"
	foreign  = "a-secret-of-somebody-else-of-32-bytes-or-more"
)

// What a 401 may say.
const (
	noToken = `Bearer realm="api"`
	invalid = `Bearer realm="api", error="invalid_token", error_description="the token is not valid"`
	expired = `Bearer realm="api", error="invalid_token", error_description="the token has expired"`
)

func secrets(all ...config.Secret) config.Config { return config.Config{AuthSecrets: all} }

// protected answers with the user's name, behind auth.Required.
func protected(t testing.TB, log *bytes.Buffer, c config.Config) http.Handler {
	t.Helper()
	app := function.New(c, log)
	required, err := auth.Required(app)
	if err != nil {
		t.Fatal(err)
	}
	return required(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		app.Log.InfoContext(r.Context(), "inside")
		fmt.Fprint(w, auth.User(r.Context()))
	}))
}

func mint(t testing.TB, secret config.Secret, user string) string {
	t.Helper()
	token, err := auth.Mint(secrets(secret), user, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// sign makes a token that Mint would not.
func sign(t testing.TB, method jwt.SigningMethod, key any, claims jwt.MapClaims, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	maps.Copy(token.Header, header)
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestRequired(t *testing.T) {
	inAnHour := time.Now().Add(time.Hour).Unix()
	justNow := time.Now().Add(-time.Second).Unix()
	good := jwt.MapClaims{"sub": "ada", "exp": inAnHour}
	hs256 := func(claims jwt.MapClaims) string {
		return sign(t, jwt.SigningMethodHS256, []byte(current), claims, nil)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	valid := mint(t, current, "ada")
	part := strings.Split(valid, ".")
	otherUser := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"root","exp":99999999999}`))

	for _, c := range []struct {
		name          string
		authorization []string
		user          string // whom it lets in; "" for a 401
		challenge     string
	}{
		{"a token of ours", []string{"Bearer " + valid}, "ada", ""},
		{"the scheme in lower case", []string{"bearer " + valid}, "ada", ""},
		{"two spaces after the scheme", []string{"Bearer  " + valid}, "ada", ""},
		{"signed with the secret before this one", []string{"Bearer " + mint(t, previous, "grace")}, "grace", ""},
		{"without a kid", []string{"Bearer " + hs256(good)}, "ada", ""},
		{"with an unknown kid", []string{"Bearer " + sign(t, jwt.SigningMethodHS256, []byte(previous), good, map[string]any{"kid": "x"})}, "ada", ""},
		{"with a kid that is no text", []string{"Bearer " + sign(t, jwt.SigningMethodHS256, []byte(current), good, map[string]any{"kid": 7})}, "ada", ""},
		{"issued by a clock ahead of ours", []string{"Bearer " + hs256(jwt.MapClaims{"sub": "ada", "exp": inAnHour, "iat": inAnHour})}, "ada", ""},

		{"no header", nil, "", noToken},
		{"an empty header", []string{""}, "", noToken},
		{"another scheme", []string{"Basic YWRhOnNlY3JldA=="}, "", noToken},
		{"a token without a scheme", []string{valid}, "", noToken},
		{"a scheme that only begins alike", []string{"BearerX " + valid}, "", noToken},
		{"no token", []string{"Bearer"}, "", invalid},
		{"no JWT", []string{"Bearer abc"}, "", invalid},
		{"two headers", []string{"Bearer " + valid, "Bearer " + valid}, "", invalid},
		{"two headers, as a gateway joins them", []string{"Bearer " + valid + ", Bearer " + valid}, "", invalid},
		{"over the longest", []string{"Bearer " + sign(t, jwt.SigningMethodHS256, []byte(current),
			jwt.MapClaims{"sub": strings.Repeat("a", 4096), "exp": inAnHour}, nil)}, "", invalid},
		{"of somebody else", []string{"Bearer " + mint(t, foreign, "ada")}, "", invalid},
		{"other claims under our signature", []string{"Bearer " + part[0] + "." + otherUser + "." + part[2]}, "", invalid},
		{"no signature", []string{"Bearer " + part[0] + "." + part[1] + "."}, "", invalid},
		{"a signature cut short", []string{"Bearer " + valid[:len(valid)-4]}, "", invalid},
		{"alg none", []string{"Bearer " + sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good, nil)}, "", invalid},
		{"HS384 with our secret", []string{"Bearer " + sign(t, jwt.SigningMethodHS384, []byte(current), good, nil)}, "", invalid},
		{"RS256 with any key", []string{"Bearer " + sign(t, jwt.SigningMethodRS256, rsaKey, good, nil)}, "", invalid},
		{"a critical header", []string{"Bearer " + sign(t, jwt.SigningMethodHS256, []byte(current), good, map[string]any{"crit": []string{"b64"}})}, "", invalid},
		{"expired", []string{"Bearer " + hs256(jwt.MapClaims{"sub": "ada", "exp": justNow})}, "", expired},
		{"expired, and of somebody else", []string{"Bearer " + sign(t, jwt.SigningMethodHS256, []byte(foreign), jwt.MapClaims{"sub": "ada", "exp": justNow}, nil)}, "", invalid},
		{"no end", []string{"Bearer " + hs256(jwt.MapClaims{"sub": "ada"})}, "", invalid},
		{"an end that is no number", []string{"Bearer " + hs256(jwt.MapClaims{"sub": "ada", "exp": "never"})}, "", invalid},
		{"not valid yet", []string{"Bearer " + hs256(jwt.MapClaims{"sub": "ada", "exp": inAnHour, "nbf": inAnHour})}, "", invalid},
		{"no user", []string{"Bearer " + hs256(jwt.MapClaims{"exp": inAnHour})}, "", invalid},
		{"an empty user", []string{"Bearer " + hs256(jwt.MapClaims{"sub": "", "exp": inAnHour})}, "", invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["Authorization"] = c.authorization
			w := httptest.NewRecorder()
			protected(t, &log, secrets(current, previous)).ServeHTTP(w, r)

			if c.user != "" {
				if w.Code != http.StatusOK || w.Body.String() != c.user {
					t.Errorf("%d %s; want 200 and %q", w.Code, w.Body, c.user)
				}
				if !strings.Contains(log.String(), "user="+c.user) {
					t.Errorf("the log does not name the user: %s", &log)
				}
				return
			}
			if w.Code != http.StatusUnauthorized || log.Len() > 0 {
				t.Errorf("%d, log %q; want 401, and the handler not reached", w.Code, &log)
			}
			if got := w.Header().Values("WWW-Authenticate"); len(got) != 1 || got[0] != c.challenge {
				t.Errorf("WWW-Authenticate %q; want %q", got, c.challenge)
			}
			if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("Content-Type %q; want a problem document", got)
			}
		})
	}
}

func TestAFullRotation(t *testing.T) {
	before, during, after := secrets(previous), secrets(current, previous), secrets(current)
	old, err := auth.Mint(before, "ada", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := auth.Mint(during, "ada", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		c     config.Config
		token string
		want  int
	}{
		{"the old token, before", before, old, 200},
		{"the old token, during", during, old, 200},
		{"the new token, during", during, fresh, 200},
		{"the new token, after", after, fresh, 200},
		{"the old token, after", after, old, 401},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+c.token)
		w := httptest.NewRecorder()
		protected(t, &bytes.Buffer{}, c.c).ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d; want %d", c.name, w.Code, c.want)
		}
	}
}

func TestMint(t *testing.T) {
	for _, c := range []struct {
		name string
		user string
		ttl  time.Duration
	}{
		{"no user", "", time.Hour},
		{"no time", "ada", 0},
		{"an end in the past", "ada", -time.Hour},
		{"a user that no token can carry", strings.Repeat("a", 4096), time.Hour},
	} {
		if token, err := auth.Mint(secrets(current), c.user, c.ttl); err == nil || token != "" {
			t.Errorf("%s: minted %q", c.name, token)
		}
	}
}

func TestNoSecret(t *testing.T) {
	if _, err := auth.Mint(config.Config{}, "ada", time.Hour); !errors.Is(err, auth.ErrNoSecret) {
		t.Errorf("Mint: %v; want ErrNoSecret", err)
	}
	if _, err := auth.Required(function.New(config.Config{}, &bytes.Buffer{})); !errors.Is(err, auth.ErrNoSecret) {
		t.Errorf("Required: %v; want ErrNoSecret", err)
	}
}

func TestTheTokenHoldsNoSecret(t *testing.T) {
	for i, p := range strings.Split(mint(t, current, "ada"), ".") {
		plain, err := base64.RawURLEncoding.DecodeString(p)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(plain, []byte(current)) {
			t.Errorf("part %d holds the secret", i+1)
		}
	}
}

func TestUserWithoutALogin(t *testing.T) {
	if user := auth.User(logging.With(t.Context())); user != "" {
		t.Errorf("user %q; want none", user)
	}
}

// A name that looks like an id, or like an owner, is neither.
func TestOwner(t *testing.T) {
	c := secrets(current)
	owner := func(token string) (owner string) {
		required, err := auth.Required(function.New(config.Config{AuthSecrets: c.AuthSecrets, RedisURL: config.Secret("redis://" + apptest.Redis(t).Addr())}, io.Discard))
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		required(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { owner = auth.Owner(r.Context()) })).
			ServeHTTP(httptest.NewRecorder(), r)
		return owner
	}
	session := func(name string, id int64) string {
		token, _, err := auth.Begin(name, id, "").Token(c)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	before := owner(session("ada", 7))
	if after := owner(session("Ada L.", 7)); after != before || before == "" {
		t.Errorf("%q, and under another name %q", before, after)
	}
	seen := map[string]string{before: "user 7"}
	for who, token := range map[string]string{
		"who has the name now": session("ada", 8), "the name": mint(t, current, "ada"),
		"7": mint(t, current, "7"), "#7": mint(t, current, "#7"), "the owner as a name": mint(t, current, before),
	} {
		got := owner(token)
		if other, taken := seen[got]; taken || got == "" {
			t.Errorf("%s is the owner %q, as is %s", who, got, other)
		}
		seen[got] = who
	}
	if got := auth.Owner(t.Context()); got != "" {
		t.Errorf("without a login: %q", got)
	}
}

func BenchmarkRequired(b *testing.B) {
	h := protected(b, &bytes.Buffer{}, config.Config{AuthSecrets: []config.Secret{current, previous}, LogLevel: 12})
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+mint(b, current, "ada"))
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
