package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/redisdb"
)

// How long a token of a login holds, and how long a session lasts that is refreshed
// again and again: then the password is asked for anew.
const (
	TokenTTL   = time.Hour
	SessionTTL = 30 * 24 * time.Hour
)

// ErrSessionOver says that a session has lasted as long as one may, or that the token is
// of none.
var ErrSessionOver = errors.New("the session is over: log in again")

// Login is a user who is logged in.
type Login struct {
	User    string    // the name
	UserID  int64     // 0 for a token of `localhost token`
	Session string    // "" for such a token
	Since   time.Time // when the password was given
	Key     string    // which password that was: see keyOf
}

// Begin returns the login of a user who has just given the password that the hash is
// of: a new session.
func Begin(user string, id int64, hash string) Login {
	return Login{User: user, UserID: id, Session: rand.Text(), Since: time.Now(), Key: keyOf(id, hash)}
}

// Opened reports whether the session began with the password that the hash is of. A
// token of no session began with none, and opens what any password does.
func (l Login) Opened(hash string) bool {
	return l.Session == "" || l.Key == keyOf(l.UserID, hash)
}

// keyOf tells a user's passwords apart, the same one set again included. It gives away
// nothing of them: the hash, which nobody else has, holds 16 random bytes.
func keyOf(id int64, hash string) string {
	sum := sha256.Sum256([]byte(strconv.FormatInt(id, 10) + ":" + hash))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// Token returns a token for the session, and until when it holds: for TokenTTL, or less
// where the session ends before. The error is ErrSessionOver where it has ended.
func (l Login) Token(c config.Config) (token string, until time.Time, err error) {
	now := time.Now()
	ttl := min(TokenTTL, l.Since.Add(SessionTTL).Sub(now)).Truncate(time.Second)
	if l.Session == "" || ttl <= 0 {
		return "", time.Time{}, ErrSessionOver
	}
	token, err = l.mint(c, now, ttl)
	return token, now.Add(ttl), err
}

// Revoke ends the session of the login: none of its tokens is taken any more. A token
// of no session cannot be revoked, and only its end ends it.
func (l Login) Revoke(ctx context.Context, app *function.App) error {
	if l.Session == "" {
		return nil
	}
	// Once no token of the session can hold any more, there is nothing to remember.
	return revoke(ctx, app, l.Session, time.Until(l.Since.Add(SessionTTL))+TokenTTL)
}

// RevokeAll ends the sessions that began with the password that the hash is of, for who
// checks a token without looking at the user. Call it where the hash is replaced, in the
// transaction: a password must not change and leave sessions of the one before.
func RevokeAll(ctx context.Context, app *function.App, id int64, hash string) error {
	// A session is refreshed by who looks at the user, so only the tokens of now have to
	// end; the rest is for a login that read the hash just before.
	return revoke(ctx, app, keyOf(id, hash), 2*TokenTTL)
}

func revoke(ctx context.Context, app *function.App, what string, ttl time.Duration) error {
	client, err := redisdb.Of(app)
	if err == nil {
		err = client.Set(ctx, revokedPrefix+what, "", ttl).Err()
	}
	if err != nil {
		return unavailable(fmt.Errorf("revoke a session: %w", err))
	}
	return nil
}

func (l Login) revoked(ctx context.Context, app *function.App) (bool, error) {
	if l.Session == "" {
		return false, nil
	}
	client, err := redisdb.Of(app)
	if err != nil {
		return false, fmt.Errorf("is the session revoked: %w", err)
	}
	// Of a cluster, different nodes have the keys: no single EXISTS counts both.
	ask := client.Pipeline()
	session, password := ask.Exists(ctx, revokedPrefix+l.Session), ask.Exists(ctx, revokedPrefix+l.Key)
	if _, err := ask.Exec(ctx); err != nil {
		return false, fmt.Errorf("is the session revoked: %w", err)
	}
	return session.Val()+password.Val() > 0, nil
}

const revokedPrefix = "auth:revoked:"

// unavailable is the answer while Redis does not tell who is still logged in. To let
// everybody in instead would bring back whoever has been locked out.
func unavailable(cause error) error {
	return httperror.New(http.StatusServiceUnavailable, "logins cannot be checked at the moment").
		With("Retry-After", "5").Because(cause)
}
