package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tandem-api/tandem/localhost/gateway"
	"github.com/tandem-api/tandem/localhost/template"
	"github.com/tandem-api/tandem/shared/apptest"
)

var made sync.Map // keys by name, since to make one takes long

// key returns the private key of that name.
func key(t testing.TB, name string) *rsa.PrivateKey {
	t.Helper()
	once, _ := made.LoadOrStore(name, sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }))
	k, err := once.(func() (*rsa.PrivateKey, error))()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// keySet is the JSON Web Key Set of the keys of these names, each its own kid, among
// others that an issuer may have.
func keySet(t testing.TB, names ...string) []byte {
	t.Helper()
	all := []map[string]string{{"kty": "EC", "kid": "ec", "crv": "P-256", "x": "AA", "y": "AA"}, {"kty": "RSA", "use": "enc", "kid": "enc", "n": "AQAB", "e": "AQAB"}}
	for _, name := range names {
		public := key(t, name).PublicKey
		all = append(all, map[string]string{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": name,
			"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
		})
	}
	text, err := json.Marshal(map[string]any{"keys": all})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// keyFile is a file with a key set.
func keyFile(t testing.TB, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const issuer = "https://login.example"

func claims(issuer string) jwt.MapClaims {
	return jwt.MapClaims{"iss": issuer, "aud": "tandem", "exp": time.Now().Add(time.Hour).Unix()}
}

func TestSignatures(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	addr := stage{template: guarded, function: ok, keys: map[string]string{issuer: keyFile(t, keySet(t, "one", "two"))}}.start(t)
	good := signed(t, jwt.SigningMethodRS256, "one", key(t, "one"), claims(issuer))
	head, payload, signature := part(good, 0), part(good, 1), part(good, 2)
	for _, c := range []struct {
		name, token string
		why         string // "" where it is good
	}{
		{"RS256", good, ""},
		{"RS384", signed(t, jwt.SigningMethodRS384, "one", key(t, "one"), claims(issuer)), ""},
		{"RS512", signed(t, jwt.SigningMethodRS512, "two", key(t, "two"), claims(issuer)), ""},
		{"another key", signed(t, jwt.SigningMethodRS256, "one", key(t, "other"), claims(issuer)), "the token's signature is invalid"},
		{"the key of another kid", signed(t, jwt.SigningMethodRS256, "two", key(t, "one"), claims(issuer)), "the token's signature is invalid"},
		{"an unknown kid", signed(t, jwt.SigningMethodRS256, "three", key(t, "one"), claims(issuer)), "the issuer has no key of the token's kid"},
		{"no kid", signed(t, jwt.SigningMethodRS256, "", key(t, "one"), claims(issuer)), "the issuer has no key of the token's kid"},
		{"claims that were changed", head + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://login.example","aud":"tandem","sub":"root","exp":4102444800}`)) + "." + signature, "the token's signature is invalid"},
		{"the signature left out", head + "." + payload + ".", "the token's signature is invalid"},
		{"ES256", signed(t, jwt.SigningMethodES256, "ec", curve, claims(issuer)), "signing method ES256 is invalid"},
		{"PS256", signed(t, jwt.SigningMethodPS256, "one", key(t, "one"), claims(issuer)), "signing method PS256 is invalid"},
		{"the public key as a secret", signed(t, jwt.SigningMethodHS256, "one", key(t, "one").N.Bytes(), claims(issuer)), "signing method HS256 is invalid"},
		{"none", signed(t, jwt.SigningMethodNone, "one", jwt.UnsafeAllowNoneSignatureType, claims(issuer)), "signing method none is invalid"},
		{"a good signature of what has expired", signed(t, jwt.SigningMethodRS256, "one", key(t, "one"), jwt.MapClaims{"iss": issuer, "aud": "tandem", "exp": 1}), "the token is expired, not valid yet, or of another issuer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := send(t, addr, "GET /a\nAuthorization: Bearer "+c.token)
			if c.why == "" {
				if got.status != 200 {
					t.Errorf("%+v", got)
				}
				return
			}
			got.is(t, 401, `{"message":"Unauthorized"}`)
			if want := fmt.Sprintf(`Bearer error="invalid_token" error_description=%q`, c.why); got.header.Get("Www-Authenticate") != want {
				t.Errorf("www-authenticate: %s; want %s", got.header.Get("Www-Authenticate"), want)
			}
		})
	}
}

func part(token string, n int) string { return strings.Split(token, ".")[n] }

// provider is an identity provider on this machine.
type provider struct {
	*httptest.Server
	keys    atomic.Pointer[[]byte]
	uri     string // jwks_uri, its own where empty
	fetched atomic.Int64
	down    atomic.Bool
}

func newProvider(t *testing.T, uri string) *provider {
	p := &provider{uri: uri}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /realm/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		at := p.uri
		if at == "" {
			at = p.URL + "/keys"
		}
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, p.URL+"/realm", at)
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.fetched.Add(1)
		if p.down.Load() {
			http.Error(w, "out of order", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write(*p.keys.Load())
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) publish(t *testing.T, names ...string) {
	t.Helper()
	set := keySet(t, names...)
	p.keys.Store(&set)
}

// status of a request with a token that the key of that name has signed.
func (p *provider) status(t *testing.T, addr, name string) int {
	t.Helper()
	return send(t, addr, "GET /a\nAuthorization: Bearer "+signed(t, jwt.SigningMethodRS256, name, key(t, name), claims(p.URL+"/realm"))).status
}

// An issuer on this machine is asked for its keys without being told.
func TestKeysOfAnIssuerOnThisMachine(t *testing.T) {
	p := newProvider(t, "")
	p.publish(t, "one")
	var log lines
	addr := stage{template: strings.ReplaceAll(guarded, issuer, p.URL+"/realm"), function: ok, log: &log}.start(t)
	for range 3 {
		if got := p.status(t, addr, "one"); got != 200 {
			t.Fatalf("status %d\n%s", got, log.String())
		}
	}
	if got := p.status(t, addr, "two"); got != 401 {
		t.Errorf("an unknown key: %d", got)
	}
	p.publish(t, "two")
	apptest.Eventually(t, "a new key is found", func() bool { return p.status(t, addr, "two") == 200 })
	if got := p.status(t, addr, "one"); got != 401 {
		t.Errorf("the old key, after the new one: %d", got)
	}
	before := p.fetched.Load()
	for range 50 {
		p.status(t, addr, "three")
	}
	if n := p.fetched.Load() - before; n > 10 {
		t.Errorf("50 tokens of an unknown key had the keys fetched %d times", n)
	}
	if strings.Contains(log.String(), "NOT CHECKED") {
		t.Error(log.String())
	}
}

func TestKeysThatCannotBeHad(t *testing.T) {
	t.Run("the provider is down, and comes back", func(t *testing.T) {
		p := newProvider(t, "")
		p.publish(t, "one")
		p.down.Store(true)
		var log lines
		addr := stage{template: strings.ReplaceAll(guarded, issuer, p.URL+"/realm"), function: ok, log: &log}.start(t)
		got := send(t, addr, "GET /a\nAuthorization: Bearer "+signed(t, jwt.SigningMethodRS256, "one", key(t, "one"), claims(p.URL+"/realm")))
		if got.is(t, 401, `{"message":"Unauthorized"}`); !strings.Contains(got.header.Get("Www-Authenticate"), "OIDC discovery endpoint communication error") {
			t.Errorf("%v", got.header)
		}
		if !strings.Contains(log.String(), "503 Service Unavailable") {
			t.Errorf("the log does not tell why:\n%s", log.String())
		}
		p.down.Store(false)
		apptest.Eventually(t, "it is asked again", func() bool { return p.status(t, addr, "one") == 200 })
		p.down.Store(true)
		if got := p.status(t, addr, "one"); got != 200 {
			t.Errorf("a key that is known, and the provider down: %d", got)
		}
	})
	t.Run("a document of this machine names another", func(t *testing.T) {
		p := newProvider(t, "http://192.0.2.1/keys")
		var log lines
		addr := stage{template: strings.ReplaceAll(guarded, issuer, p.URL+"/realm"), function: ok, log: &log}.start(t)
		if got := p.status(t, addr, "one"); got != 401 || !strings.Contains(log.String(), "http://192.0.2.1/keys is not on this machine") {
			t.Errorf("%d\n%s", got, log.String())
		}
	})
}

func TestKeysThatAreAskedFor(t *testing.T) {
	p := newProvider(t, "")
	p.publish(t, "one")
	for name, from := range map[string]string{"a URL": p.URL + "/keys", "a file": keyFile(t, keySet(t, "one"))} {
		t.Run(name, func(t *testing.T) {
			addr := stage{template: guarded, function: ok, keys: map[string]string{issuer: from}}.start(t)
			if got := send(t, addr, "GET /a\nAuthorization: Bearer "+token(t, nil)); got.status != 200 {
				t.Errorf("%+v", got)
			}
			if got := send(t, addr, "GET /a\nAuthorization: Bearer "+signed(t, jwt.SigningMethodRS256, "one", key(t, "other"), claims(issuer))); got.status != 401 {
				t.Errorf("another signature: %+v", got)
			}
		})
	}
	for _, c := range []struct {
		name, issuer, from, want string
	}{
		{"no such file", issuer, "/nowhere/jwks.json", "no such file"},
		{"no JSON", issuer, keyFile(t, []byte("keys")), "not a JSON Web Key Set"},
		{"no keys", issuer, keyFile(t, keySet(t)), "there is no RSA key in the JSON Web Key Set"},
		{"a broken key", issuer, keyFile(t, []byte(`{"keys":[{"kty":"RSA","kid":"a","n":"!","e":"AQAB"}]}`)), `the key "a" is no key of RSA`},
		{"an issuer that nobody names", "https://other.example", keyFile(t, keySet(t, "one")), `no route has a JWT authorizer with the issuer https://other.example; there are ["https://login.example"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			read, err := template.Parse("template.yaml", []byte(guarded), template.Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = gateway.New(gateway.Options{Template: read, Keys: map[string]string{c.issuer: c.from}, Handler: func(*template.Function) (http.Handler, error) {
				return http.NotFoundHandler(), nil
			}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %s", err, c.want)
			}
		})
	}
}
