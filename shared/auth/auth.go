// Package auth makes login tokens and asks for them. A token is a JWT signed with
// HS256 by AUTH_SECRET; it names the user and says until when it holds.
package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/logging"
)

// maxToken is how long a token may be, in bytes. Ours have some 200; what is far
// longer is refused before anything decodes it.
const maxToken = 4096

// What a 401 says of a token. Whoever sends one that we did not sign learns nothing
// about why.
var (
	errInvalid = errors.New("the token is not valid")
	errExpired = errors.New("the token has expired")
)

type loginKey struct{}

// Of returns the login of the request, and the zero Login where the route does not ask
// for one.
func Of(ctx context.Context) Login {
	login, _ := ctx.Value(loginKey{}).(Login)
	return login
}

// User returns the name of the user who is logged in, and "" where the route does not
// ask for a login.
func User(ctx context.Context) string { return Of(ctx).User }

// UserID returns the id of the user who is logged in, and 0 where the token names
// none, as that of `localhost token`.
func UserID(ctx context.Context) int64 { return Of(ctx).UserID }

// Owner returns whom a thing belongs to that the one who is logged in makes, and "" where
// the route does not ask for a login. It is the user's id: a name may be given up, and
// taken by somebody else. A token of `localhost token` has a name alone, and owns as that
// name; no name makes it an id. It is to be compared, not shown.
func Owner(ctx context.Context) string {
	switch login := Of(ctx); {
	case login.UserID != 0:
		return "id:" + strconv.FormatInt(login.UserID, 10)
	case login.User != "":
		return "name:" + login.User
	}
	return ""
}

// Required returns middleware that lets a request through only with a valid token in
// `Authorization: Bearer …`, whose session has not been ended by Revoke. User then gives
// the user's name, and the log lines of the request carry it. Any other request gets a
// 401 with a challenge (RFC 6750, section 3). While Redis cannot tell whether a session
// has ended, its requests get a 503. It fails with ErrNoSecret where there is nothing to
// check tokens with.
func Required(app *function.App) (func(http.Handler) http.Handler, error) {
	keys, err := keyring(app.Config)
	if err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler {
		return app.Handle(func(w http.ResponseWriter, r *http.Request) error {
			token, err := bearer(r)
			if err != nil {
				return err
			}
			login, err := keys.check(token)
			if err != nil {
				return refusal(err)
			}
			ctx := context.WithValue(r.Context(), loginKey{}, login)
			ctx = logging.With(ctx, slog.String("user", login.User))
			switch revoked, err := login.revoked(ctx, app); {
			case err != nil:
				return unavailable(err)
			case revoked:
				return refusal(errInvalid)
			}
			next.ServeHTTP(w, r.WithContext(ctx))
			return nil
		})
	}, nil
}

// bearer returns the token of a request. The scheme's case does not matter (RFC 9110,
// section 11.1). Repeated headers are joined, as API Gateway joins them, and so are no
// token.
func bearer(r *http.Request) (string, error) {
	scheme, token, _ := strings.Cut(strings.Join(r.Header.Values("Authorization"), ", "), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", httperror.New(http.StatusUnauthorized, "this needs a login: send a bearer token").
			With("WWW-Authenticate", Challenge)
	}
	if len(token) > maxToken {
		return "", refusal(errInvalid)
	}
	return strings.Trim(token, " "), nil
}

// Challenge is the WWW-Authenticate header of a 401 (RFC 6750, section 3).
const Challenge = `Bearer realm="api"`

func refusal(cause error) error {
	why := errInvalid
	if errors.Is(cause, jwt.ErrTokenExpired) {
		why = errExpired
	}
	return httperror.New(http.StatusUnauthorized, "%s", why).
		With("WWW-Authenticate", Challenge+`, error="invalid_token", error_description="`+why.Error()+`"`).
		Because(cause)
}
