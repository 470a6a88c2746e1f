package login_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tandem-api/tandem/functions/login"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/password"
)

const right = "correct horse battery staple"

// setUp returns an app with the user ada, who has a password, and bob, who has none.
func setUp(t *testing.T) (*apptest.App, string) {
	t.Helper()
	app := apptest.New(t)
	db, err := database.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := password.Hash(right)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []models.User{{Name: "ada", PasswordHash: hash}, {Name: "bob"}} {
		if err := models.Users.Create(t.Context(), db, &u); err != nil {
			t.Fatal(err)
		}
	}
	return app, app.Serve(login.Function)
}

func post(t *testing.T, url, body, token string) apptest.Answer {
	t.Helper()
	h := http.Header{"Content-Type": {"application/json"}}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	return apptest.Do(t, "POST", url, body, h)
}

func credentials(name, text string) string {
	body, _ := json.Marshal(map[string]string{"name": name, "password": text})
	return string(body)
}

type answer struct {
	Token, TokenType string
	ExpiresAt        time.Time
}

func logIn(t *testing.T, url string) answer {
	t.Helper()
	return read(t, post(t, url+"/login", credentials("ada", right), ""))
}

func read(t *testing.T, got apptest.Answer) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal([]byte(got.Body), &a); err != nil || got.Status != http.StatusOK || a.Token == "" {
		t.Fatalf("%d %s: no token", got.Status, got.Body)
	}
	return a
}

// protected is another function, which needs a login.
var protected = function.Function{Name: "protected", Routes: func(app *function.App, r chi.Router) error {
	required, err := auth.Required(app)
	if err != nil {
		return err
	}
	r.With(required).Get("/", app.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return function.JSON(w, http.StatusOK, map[string]any{"user": auth.User(r.Context()), "id": auth.UserID(r.Context())})
	}))
	return nil
}}

func get(t *testing.T, url, token string) apptest.Answer {
	t.Helper()
	return apptest.Do(t, "GET", url, "", http.Header{"Authorization": {"Bearer " + token}})
}

func TestALoginIsGoodForOtherFunctions(t *testing.T) {
	app, url := setUp(t)
	a := logIn(t, url)
	if ttl := time.Until(a.ExpiresAt); ttl < 59*time.Minute || ttl > time.Hour || a.TokenType != "Bearer" {
		t.Errorf("%+v, which holds for %s", a, ttl)
	}
	if got := get(t, app.Serve(protected), a.Token); got.Body != `{"id":1,"user":"ada"}` {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestRefused(t *testing.T) {
	app, url := setUp(t)
	refusals := map[string]bool{}
	for _, c := range []struct {
		name, body string
		status     int
	}{
		{"a wrong password", credentials("ada", "wrong"), 401},
		{"a name that nobody has", credentials("eve", right), 401},
		{"a name with a NUL", credentials("a\x00b", right), 401},
		{"a user without a password", credentials("bob", right), 401},
		{"another case of the name", credentials("ADA", right), 401},
		{"no password", `{"name":"ada"}`, 422},
		{"an empty password", credentials("ada", ""), 422},
		{"more than is asked", `{"name":"ada","password":"x","admin":true}`, 422},
		{"no JSON", `name=ada`, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := post(t, url+"/login", c.body, "")
			if got.Status != c.status {
				t.Fatalf("%d %s, want %d", got.Status, got.Body, c.status)
			}
			if c.status == http.StatusUnauthorized {
				var problem map[string]any
				if err := json.Unmarshal([]byte(got.Body), &problem); err != nil {
					t.Fatal(err)
				}
				delete(problem, "requestId")
				text, _ := json.Marshal(problem)
				refusals[string(text)+got.Header.Get("WWW-Authenticate")] = true
			}
		})
	}
	if len(refusals) != 1 {
		t.Errorf("the refusals differ, and tell who is there: %v", refusals)
	}
	if reports := app.Reports(); len(reports) > 0 {
		t.Errorf("reports: %+v", reports)
	}
}

func TestTooManyAttempts(t *testing.T) {
	app, url := setUp(t)
	for i := range 5 {
		if got := post(t, url+"/login", credentials("ada", "wrong"), ""); got.Status != http.StatusUnauthorized {
			t.Fatalf("attempt %d: %d %s", i+1, got.Status, got.Body)
		}
	}
	got := post(t, url+"/login", credentials("ada", right), "")
	if got.Status != http.StatusTooManyRequests || got.Header.Get("Retry-After") != "300" {
		t.Errorf("%d, Retry-After %q, want 429 and 300", got.Status, got.Header.Get("Retry-After"))
	}
	if got := post(t, url+"/login", credentials("bob", "wrong"), ""); got.Status != http.StatusUnauthorized {
		t.Errorf("another name: %d", got.Status)
	}
	app.Redis.FastForward(5 * time.Minute)
	logIn(t, url)
}

// A stranger who goes on guessing from one address does not lock the user out elsewhere.
func TestWhatAnAddressMayNotTryDoesNotCountAgainstTheName(t *testing.T) {
	app, _ := setUp(t)
	handler, err := login.Function.Handler(app.App)
	if err != nil {
		t.Fatal(err)
	}
	from := func(address, text string) int {
		r := httptest.NewRequest("POST", "/login", strings.NewReader(credentials("ada", text)))
		r.Header.Set("Content-Type", "application/json")
		r.RemoteAddr = address + ":1234"
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	statuses := map[int]int{}
	for range 50 {
		statuses[from("192.0.2.1", "wrong")]++
	}
	if !maps.Equal(statuses, map[int]int{401: 5, 429: 45}) {
		t.Errorf("the stranger got %v", statuses)
	}
	if got := from("192.0.2.2", right); got != http.StatusOK {
		t.Errorf("the user got %d", got)
	}
}

func TestALoginForgetsTheMistakesBeforeIt(t *testing.T) {
	_, url := setUp(t)
	for range 3 {
		for range 4 {
			post(t, url+"/login", credentials("ada", "wrong"), "")
		}
		logIn(t, url)
	}
}

func TestAnAddressThatTriesManyNames(t *testing.T) {
	_, url := setUp(t)
	refused := 0
	for i := range 51 {
		if got := post(t, url+"/login", credentials(string(rune('A'+i)), "wrong"), ""); got.Status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d of 51 attempts were too many, want 1", refused)
	}
}

func TestRefresh(t *testing.T) {
	app, url := setUp(t)
	first := logIn(t, url)
	second := read(t, post(t, url+"/login/refresh", "", first.Token))
	if got := get(t, app.Serve(protected), second.Token); got.Status != http.StatusOK {
		t.Errorf("the newer token: %d %s", got.Status, got.Body)
	}
	for name, token := range map[string]string{
		"no token":                  "",
		"no token of ours":          first.Token[:len(first.Token)-2],
		"a token without a session": app.Token("ada"),
	} {
		t.Run(name, func(t *testing.T) {
			got := post(t, url+"/login/refresh", "", token)
			if got.Status != http.StatusUnauthorized || got.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%d %s, want 401", got.Status, got.Body)
			}
		})
	}
}

func TestRefreshGoesByTheUserOfNow(t *testing.T) {
	app, url := setUp(t)
	token := logIn(t, url).Token
	db, err := database.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	ada, err := models.Users.Where("name", "ada").FirstOrFail(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if err := models.Users.Update(t.Context(), db, &ada, models.Fields{"name": "Ada L."}); err != nil {
		t.Fatal(err)
	}
	newer := read(t, post(t, url+"/login/refresh", "", token))
	if got := get(t, app.Serve(protected), newer.Token); got.Body != `{"id":1,"user":"Ada L."}` {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if err := models.Users.Delete(t.Context(), db, &ada); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"the first token": token, "the newer one": newer.Token} {
		if got := post(t, url+"/login/refresh", "", token); got.Status != http.StatusUnauthorized {
			t.Errorf("%s, of a user who is no more: %d %s", name, got.Status, got.Body)
		}
	}
}

func TestANewPasswordNeedsANewLogin(t *testing.T) {
	app, url := setUp(t)
	token := logIn(t, url).Token
	db, err := database.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	ada, err := models.Users.Where("name", "ada").FirstOrFail(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := password.Hash(right) // the same one anew has another salt
	if err != nil {
		t.Fatal(err)
	}
	if err := models.Users.Update(t.Context(), db, &ada, models.Fields{"password_hash": hash}); err != nil {
		t.Fatal(err)
	}
	got := post(t, url+"/login/refresh", "", token)
	if got.Status != http.StatusUnauthorized || !strings.Contains(got.Body, "password was changed") || got.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("%d %s, want 401", got.Status, got.Body)
	}
	read(t, post(t, url+"/login/refresh", "", logIn(t, url).Token))
}

func TestLogoutEndsTheWholeSession(t *testing.T) {
	app, url := setUp(t)
	other := logIn(t, url)
	first := logIn(t, url)
	second := read(t, post(t, url+"/login/refresh", "", first.Token))
	if got := post(t, url+"/logout", "", second.Token); got.Status != http.StatusNoContent || got.Body != "" {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	elsewhere := app.Serve(protected)
	for name, token := range map[string]string{"its token": second.Token, "the one before": first.Token} {
		if got := get(t, elsewhere, token); got.Status != http.StatusUnauthorized {
			t.Errorf("%s: %d, want 401", name, got.Status)
		}
		if got := post(t, url+"/login/refresh", "", token); got.Status != http.StatusUnauthorized {
			t.Errorf("refresh with %s: %d, want 401", name, got.Status)
		}
	}
	if got := get(t, elsewhere, other.Token); got.Status != http.StatusOK {
		t.Errorf("another session of the user: %d, want 200", got.Status)
	}
	// As long as any of its tokens holds, it stays ended.
	app.Redis.FastForward(auth.SessionTTL)
	if got := get(t, elsewhere, second.Token); got.Status != http.StatusUnauthorized {
		t.Errorf("much later: %d, want 401", got.Status)
	}
}

func TestRedisIsDown(t *testing.T) {
	app, url := setUp(t)
	token := logIn(t, url).Token
	elsewhere := app.Serve(protected)
	app.Redis.Close()
	for name, got := range map[string]apptest.Answer{
		"login":            post(t, url+"/login", credentials("ada", right), ""),
		"refresh":          post(t, url+"/login/refresh", "", token),
		"logout":           post(t, url+"/logout", "", token),
		"another function": get(t, elsewhere, token),
	} {
		if got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s, want 503 with Retry-After", name, got.Status, got.Body)
		}
	}
	if got := get(t, elsewhere, app.Token("ada")); got.Status != http.StatusOK {
		t.Errorf("a token of no session: %d, want 200", got.Status)
	}
	if reports := app.Reports(); len(reports) != 4 {
		t.Errorf("%d reports, want one of each 503", len(reports))
	}
}

func TestSecretsStayInside(t *testing.T) {
	app, url := setUp(t)
	token := logIn(t, url).Token
	post(t, url+"/login", credentials("ada", "a wrong password"), "")
	post(t, url+"/logout", "", token)
	lines, err := json.Marshal(app.Logs())
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{"password": right, "wrong password": "a wrong password", "token": token, "hash": "argon2id"} {
		if strings.Contains(string(lines), secret) {
			t.Errorf("the log shows the %s", name)
		}
	}
}
