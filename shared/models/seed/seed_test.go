package seed_test

import (
	"strings"
	"testing"

	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/models/seed"
)

func TestSeedTwiceIsSeedOnce(t *testing.T) {
	apptest.EachDatabase(t, func(t *testing.T, url config.Secret) {
		db := apptest.OpenDatabase(t, url)
		counts := func() (all [3]int64) {
			t.Helper()
			var err [3]error
			all[0], err[0] = models.Users.Count(t.Context(), db)
			all[1], err[1] = models.Posts.Count(t.Context(), db)
			all[2], err[2] = models.Comments.Count(t.Context(), db)
			if err != [3]error{} {
				t.Fatal(err)
			}
			return all
		}
		var out strings.Builder
		if err := seed.Run(t.Context(), db, &out); err != nil {
			t.Fatal(err)
		}
		t.Log(out.String())
		once := counts()
		for _, want := range []string{"<User #1 name:'Asdf'>", "<Post #1 title:'Go at last'>", "EXISTS (SELECT 1 FROM", `Post has no field "titel"`} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s is not in what it wrote", want)
			}
		}
		if strings.Contains(out.String(), `"password_hash":`) {
			t.Error("it shows a password's hash")
		}

		user, err := models.Users.Where("name", "Asdf").FirstOrFail(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		if err := models.Users.Update(t.Context(), db, &user, models.Fields{"role": models.RoleUser}); err != nil {
			t.Fatal(err)
		}
		if err := seed.Run(t.Context(), db, &out); err != nil {
			t.Fatal(err)
		}
		if twice := counts(); twice != once || once[0] == 0 || once[1] == 0 || once[2] == 0 {
			t.Errorf("rows after one seed %v, after two %v", once, twice)
		}
		again, err := models.Users.FindOrFail(t.Context(), db, user.ID)
		if err != nil || again.Role != models.RoleAdmin {
			t.Errorf("%v has the role %s, %v", again, again.Role, err)
		}
	})
}
