package gateway

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// keys are the public keys of an issuer of tokens, from where it publishes them (RFC
// 7517): a file, a URL, or what its own OIDC document names.
type keys struct {
	issuer string
	source string // "": the issuer's own document says
	local  bool   // it was not asked for: nothing beyond this machine is fetched
	client *http.Client

	mu    sync.Mutex
	byID  map[string]*rsa.PublicKey
	since time.Time // when they were read; the zero time: not yet
	tried time.Time // when that was last tried
	err   error     // what came of it
}

// How long keys are kept ("http-api-jwt-authorizer"); and how soon a kid that is not
// among them has them fetched again, so that nobody can make the issuer busy (?).
const (
	keysKept  = 2 * time.Hour
	keysAgain = time.Second
)

var errNoKey = errors.New("no such key")

// newKeys returns an issuer's keys, from where the options say, or where it is on this
// machine, from itself. It is nil where there are none to be had. A file is read at once,
// a server may start later.
func newKeys(issuer string, from map[string]string) (*keys, error) {
	source, asked := from[issuer]
	if !asked && !loopback(issuer) {
		return nil, nil
	}
	k := &keys{issuer: issuer, source: source, local: !asked}
	k.client = &http.Client{Timeout: 5 * time.Second, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) > 5 {
			return errors.New("redirected too often")
		}
		return k.may(r.URL.String())
	}}
	if source != "" && !remote(source) {
		if k.refresh(context.Background(), time.Now()); k.err != nil {
			return nil, k.err
		}
	}
	return k, nil
}

func remote(source string) bool {
	return strings.HasPrefix(source, "https://") || strings.HasPrefix(source, "http://")
}

// loopback says whether a URL is of this machine.
func loopback(text string) bool {
	u, err := url.Parse(text)
	if err != nil || !remote(text) {
		return false
	}
	host := u.Hostname()
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host).IsLoopback()
}

// find returns the key of an id.
func (k *keys) find(ctx context.Context, id string) (*rsa.PublicKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	key := k.byID[id]
	if old := now.Sub(k.since) >= keysKept; (old || key == nil) && now.Sub(k.tried) >= keysAgain {
		k.refresh(ctx, now)
		key = k.byID[id]
	}
	switch {
	case key != nil && id != "":
		return key, nil
	case k.err != nil:
		return nil, k.err
	}
	return nil, errNoKey
}

// refresh reads the keys again. Those that there are stay where it fails.
func (k *keys) refresh(ctx context.Context, now time.Time) {
	k.tried = now
	text, err := k.read(ctx)
	if err == nil {
		var byID map[string]*rsa.PublicKey
		if byID, err = parseKeys(text); err == nil {
			k.byID, k.since = byID, now
		}
	}
	if k.err = err; err != nil {
		k.err = fmt.Errorf("the keys of %s: %w", k.issuer, err)
	}
}

// read returns the JSON Web Key Set.
func (k *keys) read(ctx context.Context) ([]byte, error) {
	source := k.source
	if source == "" {
		text, err := k.get(ctx, strings.TrimSuffix(k.issuer, "/")+"/.well-known/openid-configuration")
		if err != nil {
			return nil, err
		}
		var document struct {
			URI string `json:"jwks_uri"`
		}
		if err := json.Unmarshal(text, &document); err != nil || document.URI == "" {
			return nil, errors.Join(errors.New("its OIDC document names no jwks_uri"), err)
		}
		source = document.URI
	}
	if remote(source) {
		return k.get(ctx, source)
	}
	return os.ReadFile(source)
}

// may says what speaks against fetching from a URL.
func (k *keys) may(source string) error {
	if k.local && !loopback(source) {
		return fmt.Errorf("%s is not on this machine: serve -jwks %s fetches it all the same", source, k.issuer)
	}
	return nil
}

func (k *keys) get(ctx context.Context, source string) ([]byte, error) {
	if err := k.may(source); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return nil, err
	}
	got, err := k.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", source, got.Status)
	}
	const most = 1 << 20
	return io.ReadAll(io.LimitReader(got.Body, most))
}

// parseKeys reads a JSON Web Key Set. Keys that are not RSA's, or for encryption, are left
// aside: no token signed by one is taken.
func parseKeys(text []byte) (map[string]*rsa.PublicKey, error) {
	var set struct {
		Keys []struct{ Kty, Use, Kid, N, E string }
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("not a JSON Web Key Set: %w", err)
	}
	byID := map[string]*rsa.PublicKey{}
	for _, key := range set.Keys {
		if key.Kty != "RSA" || key.Use == "enc" {
			continue
		}
		n, err := base64.RawURLEncoding.DecodeString(key.N)
		e, errE := base64.RawURLEncoding.DecodeString(key.E)
		exponent := new(big.Int).SetBytes(e)
		if err := errors.Join(err, errE); err != nil || len(n) == 0 || !exponent.IsInt64() || exponent.Int64() < 3 || exponent.Int64() > 1<<31-1 {
			return nil, errors.Join(fmt.Errorf("the key %q is no key of RSA", key.Kid), err)
		}
		byID[key.Kid] = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}
	}
	if len(byID) == 0 {
		return nil, errors.New("there is no RSA key in the JSON Web Key Set")
	}
	return byID, nil
}
