package users

import (
	"net/http"

	"github.com/tandem-api/tandem/shared/account"
	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/httperror"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/password"
	"github.com/tandem-api/tandem/shared/resource"
)

// person is what the schemas describe. What is not in the body is nil; a password goes
// in and never comes out.
type person struct {
	Name     *string      `json:"name"`
	Role     *models.Role `json:"role"`
	Password *string      `json:"password"`
}

// fields are those that are to be set.
func (p person) fields() (models.Fields, error) {
	f := models.Fields{}
	if p.Name != nil {
		f["name"] = *p.Name
	}
	if p.Role != nil {
		f["role"] = *p.Role
	}
	if p.Password != nil {
		if err := password.Valid(*p.Password); err != nil {
			return nil, resource.Unfit("password", err.Error())
		}
		hash, err := password.Hash(*p.Password)
		if err != nil {
			return nil, err
		}
		f["password_hash"] = hash
	}
	return f, nil
}

func (c controller) create(w http.ResponseWriter, r *http.Request, in person) error {
	if !account.Admin(r.Context()) {
		return httperror.New(http.StatusForbidden, "only an admin can add a user")
	}
	fields, err := in.fields()
	if err != nil {
		return err
	}
	db, err := database.Of(c.app)
	if err != nil {
		return err
	}
	var user models.User
	if err := models.Users.Fill(&user, fields); err != nil {
		return resource.Refused(err)
	}
	if err := models.Users.Create(r.Context(), db, &user); err != nil {
		return resource.Refused(err)
	}
	return resource.Created(w, r, models.Users.Query, user, user.ID)
}

// replace sets all that a user shows. The password stays, unless there is a new one.
func (c controller) replace(w http.ResponseWriter, r *http.Request, in person) error {
	return c.update(w, r, in)
}

func (c controller) patch(w http.ResponseWriter, r *http.Request, in person) error {
	return c.update(w, r, in)
}

func (c controller) update(w http.ResponseWriter, r *http.Request, in person) error {
	fields, err := in.fields()
	if err != nil {
		return err
	}
	user, err := c.change(r, func(tx *database.DB, user *models.User) error {
		if in.Role != nil && *in.Role != user.Role && !account.Admin(r.Context()) {
			return httperror.New(http.StatusForbidden, "only an admin can give a role")
		}
		before := user.PasswordHash
		if err := models.Users.Update(r.Context(), tx, user, fields); err != nil || in.Password == nil {
			return err
		}
		return auth.RevokeAll(r.Context(), c.app, user.ID, before)
	})
	if err != nil {
		return err
	}
	return resource.ShowRow(w, r, http.StatusOK, models.Users.Query, user)
}

func (c controller) remove(w http.ResponseWriter, r *http.Request) error {
	_, err := c.change(r, func(tx *database.DB, user *models.User) error {
		if err := models.Users.Delete(r.Context(), tx, user); err != nil {
			return err
		}
		return auth.RevokeAll(r.Context(), c.app, user.ID, user.PasswordHash)
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// change does something to the user in the path, if it is the one who is logged in.
func (c controller) change(r *http.Request, do func(tx *database.DB, user *models.User) error) (models.User, error) {
	db, err := database.Of(c.app)
	if err != nil {
		return models.User{}, err
	}
	self := func(u models.User) error { return account.MayChange(r.Context(), u.ID) }
	return resource.Change(r, db, models.Users.Query, self, do)
}
