package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tandem-api/tandem/shared/config"
)

// ErrNoSecret says that there is nothing to sign or to check tokens with.
var ErrNoSecret = errors.New("AUTH_SECRET is not set")

// claims are what a token says. RegisteredClaims has the user's name (sub) and the end
// (exp).
type claims struct {
	jwt.RegisteredClaims
	UserID  int64            `json:"uid,omitempty"`
	Session string           `json:"sid,omitempty"`
	Since   *jwt.NumericDate `json:"auth_time,omitempty"` // OpenID Connect Core 1.0, section 2
	Key     string           `json:"key,omitempty"`       // which password: see keyOf
}

// Mint returns a token for the user that holds for ttl, signed with the first of the
// settings' secrets. It belongs to no session, so nothing but its end revokes it.
func Mint(c config.Config, user string, ttl time.Duration) (string, error) {
	return Login{User: user}.mint(c, time.Now(), ttl)
}

func (l Login) mint(c config.Config, now time.Time, ttl time.Duration) (string, error) {
	keys, err := keyring(c)
	switch {
	case err != nil:
		return "", err
	case l.User == "":
		return "", errors.New("a token needs a user")
	case ttl < time.Second:
		return "", fmt.Errorf("a token that holds for %s: it needs a second at least", ttl)
	}
	says := claims{UserID: l.UserID, Session: l.Session, Key: l.Key, RegisteredClaims: jwt.RegisteredClaims{
		Subject:   l.User,
		IssuedAt:  jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
	}}
	if l.Session != "" {
		says.Since = jwt.NewNumericDate(l.Since)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, says)
	token.Header["kid"] = keys.all[0].id
	signed, err := token.SignedString(keys.all[0].secret)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	if len(signed) > maxToken {
		return "", fmt.Errorf("the user's name is too long for a token: %d bytes", len(l.User))
	}
	return signed, nil
}

// ring holds the keys of AUTH_SECRET: the first signs, all check, so that a secret can
// be replaced while tokens of the one before still hold.
type ring struct {
	all    []key
	parser *jwt.Parser
}

type key struct {
	id     string
	secret []byte
}

func keyring(c config.Config) (ring, error) {
	if len(c.AuthSecrets) == 0 {
		return ring{}, ErrNoSecret
	}
	// No leeway: the machine that checks a token's end is one of ours, and iat, which
	// another clock may have set, is for people to read.
	r := ring{parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(),
	)}
	for _, s := range c.AuthSecrets {
		// The id only tells our own keys apart. It gives away no more of the secret
		// than the signature beside it.
		sum := sha256.Sum256([]byte("kid:" + s.Reveal()))
		r.all = append(r.all, key{id: hex.EncodeToString(sum[:6]), secret: []byte(s.Reveal())})
	}
	return r, nil
}

// check returns the login that a token tells of.
func (r ring) check(token string) (Login, error) {
	var says claims
	if _, err := r.parser.ParseWithClaims(token, &says, r.candidates); err != nil {
		return Login{}, err
	}
	if says.Subject == "" {
		return Login{}, errors.New("the token names no user")
	}
	l := Login{User: says.Subject, UserID: says.UserID, Session: says.Session, Key: says.Key}
	if says.Since != nil {
		l.Since = says.Since.Time
	}
	return l, nil
}

// candidates returns the key that the token names, and all of them where it names
// none of ours: a tool may have minted it without a kid.
func (r ring) candidates(t *jwt.Token) (any, error) {
	// Whatever crit lists must be understood (RFC 7515, section 4.1.11): nothing is.
	if _, ok := t.Header["crit"]; ok {
		return nil, errors.New("the token has critical headers")
	}
	set := jwt.VerificationKeySet{}
	for _, k := range r.all {
		if k.id == t.Header["kid"] {
			return k.secret, nil
		}
		set.Keys = append(set.Keys, k.secret)
	}
	return set, nil
}
