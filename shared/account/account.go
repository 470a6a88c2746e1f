// Package account knows who is logged in: the user as the database has it now.
package account

import (
	"context"
	"net/http"

	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/models"
)

type userKey struct{}

// Current returns the user who is logged in. It is for routes behind Required.
func Current(ctx context.Context) models.User {
	user, _ := ctx.Value(userKey{}).(models.User)
	return user
}

// Required is auth.Required, and loads the user: what the user may do is what the
// database says now, not what the token said at the login. A user who is no more gets a
// 401, and so does a session that began with another password than the one of now.
func Required(app *function.App) (func(http.Handler) http.Handler, error) {
	login, err := auth.Required(app)
	if err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler {
		return login(app.Handle(func(w http.ResponseWriter, r *http.Request) error {
			db, err := database.Of(app)
			if err != nil {
				return err
			}
			user, found, err := Of(r.Context(), db, auth.Of(r.Context()))
			if err != nil {
				return err
			}
			switch {
			case !found:
				return refused("the user of this login is no more")
			case !auth.Of(r.Context()).Opened(user.PasswordHash):
				return refused("the password was changed since this login")
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, user)))
			return nil
		}))
	}, nil
}

func refused(why string) error {
	return httperror.New(http.StatusUnauthorized, "%s", why).With("WWW-Authenticate", auth.Challenge)
}

// Of returns the user of a login. A token that was minted for a name alone is the one's
// who has the name now.
func Of(ctx context.Context, db *database.DB, login auth.Login) (models.User, bool, error) {
	if login.UserID != 0 {
		return models.Users.Find(ctx, db, login.UserID)
	}
	return models.Users.Where("name", login.User).First(ctx, db)
}

// Admin tells whether the one who is logged in may change everything.
func Admin(ctx context.Context) bool { return Current(ctx).Role == models.RoleAdmin }

// MayChange returns a 403 unless the one who is logged in has that id, or is an admin.
func MayChange(ctx context.Context, owner int64) error {
	if Current(ctx).ID == owner || Admin(ctx) {
		return nil
	}
	return httperror.New(http.StatusForbidden, "only its owner or an admin can do this")
}
