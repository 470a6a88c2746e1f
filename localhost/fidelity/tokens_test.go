package fidelity_test

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tandem-api/tandem/localhost/fidelity"
)

// issuer is that of the API guarded. Its keys are made anew for each run of the tests.
const issuer = "https://issuer.example.com"

var keys sync.Map

// key returns the RSA key of a name.
func key(t testing.TB, name string) *rsa.PrivateKey {
	t.Helper()
	once, _ := keys.LoadOrStore(name, sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }))
	k, err := once.(func() (*rsa.PrivateKey, error))()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// keyFile is what the issuer publishes: the keys "one" and "two".
func keyFile(t testing.TB) string {
	t.Helper()
	var all []map[string]string
	for _, name := range []string{"one", "two"} {
		public := key(t, name).PublicKey
		all = append(all, map[string]string{
			"kty": "RSA", "use": "sig", "kid": name,
			"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
		})
	}
	text, err := json.Marshal(map[string]any{"keys": all})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "jwks.json")
	write(t, path, text)
	return path
}

// signed makes the token of a case.
func signed(t testing.TB, token fidelity.Token) string {
	t.Helper()
	claims := jwt.MapClaims{"iss": issuer, "aud": "tandem", "sub": "ada", "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range token.Claims {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	made := jwt.NewWithClaims(jwt.GetSigningMethod(cmp.Or(token.Alg, "RS256")), claims)
	if kid := cmp.Or(token.Kid, "one"); kid != "none" {
		made.Header["kid"] = kid
	}
	var by any = key(t, cmp.Or(token.Key, "one"))
	switch token.Alg {
	case "none":
		by = jwt.UnsafeAllowNoneSignatureType
	case "HS256":
		by = key(t, "one").N.Bytes() // the public key, as an old attack has it
	case "ES256":
		curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		by = curve
	}
	text, err := made.SignedString(by)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
