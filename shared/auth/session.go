package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
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
}

// Begin returns the login of a user who has just given the password: a new session.
func Begin(user string, id int64) Login {
	return Login{User: user, UserID: id, Session: rand.Text(), Since: time.Now()}
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
	client, err := redisdb.Of(app)
	if err == nil {
		// Once no token of the session can hold any more, there is nothing to remember.
		err = client.Set(ctx, l.key(), "", time.Until(l.Since.Add(SessionTTL))+TokenTTL).Err()
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
	n, err := client.Exists(ctx, l.key()).Result()
	if err != nil {
		return false, fmt.Errorf("is the session revoked: %w", err)
	}
	return n > 0, nil
}

func (l Login) key() string { return "auth:revoked:" + l.Session }

// unavailable is the answer while Redis does not tell who is still logged in. To let
// everybody in instead would bring back whoever has been locked out.
func unavailable(cause error) error {
	return httperror.New(http.StatusServiceUnavailable, "logins cannot be checked at the moment").
		With("Retry-After", "5").Because(cause)
}
