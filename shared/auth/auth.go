// Package auth makes login tokens and asks for them. A token is a JWT signed with
// HS256 by AUTH_SECRET; it names the user and says until when it holds.
package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
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

type userKey struct{}

// User returns the name of the user who is logged in, and "" where the route does not
// ask for a login.
func User(ctx context.Context) string {
	user, _ := ctx.Value(userKey{}).(string)
	return user
}

// Required returns middleware that lets a request through only with a valid token in
// `Authorization: Bearer …`. User then gives the user's name, and the log lines of the
// request carry it. Any other request gets a 401 with a challenge (RFC 6750, section
// 3). It fails with ErrNoSecret where there is nothing to check tokens with.
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
			user, err := keys.check(token)
			if err != nil {
				return refusal(err)
			}
			ctx := context.WithValue(r.Context(), userKey{}, user)
			ctx = logging.With(ctx, slog.String("user", user))
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
			With("WWW-Authenticate", challenge)
	}
	if len(token) > maxToken {
		return "", refusal(errInvalid)
	}
	return strings.Trim(token, " "), nil
}

const challenge = `Bearer realm="api"`

func refusal(cause error) error {
	why := errInvalid
	if errors.Is(cause, jwt.ErrTokenExpired) {
		why = errExpired
	}
	return httperror.New(http.StatusUnauthorized, "%s", why).
		With("WWW-Authenticate", challenge+`, error="invalid_token", error_description="`+why.Error()+`"`).
		Because(cause)
}
