// Package login answers POST /login, POST /login/refresh and POST /logout: a name and a
// password become a token, a token becomes a newer one, and a session ends.
package login

import (
	_ "embed"
	"errors"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/shared/account"
	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/password"
	"github.com/tandem-api/tandem/shared/validate"
)

// Function is the login controller.
var Function = function.Function{Name: "login", Routes: routes}

//go:embed schema.json
var schemaJSON []byte

func routes(app *function.App, r chi.Router) error {
	required, err := auth.Required(app)
	if err != nil {
		return err
	}
	user, err := account.Required(app)
	if err != nil {
		return err
	}
	schema, err := validate.Compile(schemaJSON)
	if err != nil {
		return err
	}
	r.Post("/login", app.Handle(validate.JSON(schema, login(app))))
	r.With(user).Post("/login/refresh", app.Handle(refresh(app)))
	r.With(required).Post("/logout", app.Handle(logout(app)))
	return nil
}

// credentials are what schema.json describes.
type credentials struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

type answer struct {
	Token     string    `json:"token"` // for the header Authorization: Bearer …
	TokenType string    `json:"tokenType"`
	ExpiresAt time.Time `json:"expiresAt"` // in UTC
}

// errRefused is the one answer to a wrong password and to a name that nobody has.
var errRefused = httperror.New(http.StatusUnauthorized, "the name or the password is wrong").
	With("WWW-Authenticate", auth.Challenge)

func login(app *function.App) func(http.ResponseWriter, *http.Request, credentials) error {
	return func(w http.ResponseWriter, r *http.Request, in credentials) error {
		ctx := r.Context()
		if err := count(app, r, in.Name); err != nil {
			return err
		}
		db, err := database.Of(app)
		if err != nil {
			return err
		}
		user, found, err := models.Users.Where("name", in.Name).First(ctx, db)
		// A name that no column can hold, with a NUL in it, is one that nobody has.
		if _, unfit := errors.AsType[*models.Error](err); err != nil && !unfit {
			return err
		}
		// A name that nobody has takes as long: its hash is empty, and checked too.
		fits, err := password.Check(user.PasswordHash, in.Password)
		switch {
		case err != nil:
			return err
		case !found || !fits:
			app.Log.WarnContext(ctx, "login refused")
			return errRefused
		}
		if err := forget(app, r, in.Name); err != nil {
			return err
		}
		return answerWith(app, w, auth.Begin(user.Name, user.ID, user.PasswordHash))
	}
}

// refresh goes by what the database says of the user now: one who is no more, or has
// another password, gets no newer token, and one with another name gets a token with it.
func refresh(app *function.App) function.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		login := auth.Of(r.Context())
		login.User = account.Current(r.Context()).Name
		return answerWith(app, w, login)
	}
}

func logout(app *function.App) function.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := auth.Of(r.Context()).Revoke(r.Context(), app); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

func answerWith(app *function.App, w http.ResponseWriter, l auth.Login) error {
	token, until, err := l.Token(app.Config)
	if errors.Is(err, auth.ErrSessionOver) {
		return httperror.New(http.StatusUnauthorized, "%s", err).With("WWW-Authenticate", auth.Challenge)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store") // RFC 6749, section 5.1
	return function.JSON(w, http.StatusOK, answer{Token: token, TokenType: "Bearer", ExpiresAt: until.UTC().Truncate(time.Second)})
}
