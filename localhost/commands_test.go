package main

import (
	"bytes"
	"context"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/functions/bar"
	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/localhost/command"
	"github.com/tandem-api/tandem/shared/apptest"
	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/password"
)

// outcome is what a command left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// localhost runs a command to its end, in an empty folder, with these settings and no
// others.
func localhost(t *testing.T, env map[string]string, args ...string) outcome {
	t.Helper()
	return localhostWith(t, "", env, args...)
}

func localhostWith(t *testing.T, stdin string, env map[string]string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	h := cli.Host{
		Stdin:  strings.NewReader(stdin),
		Stdout: &stdout, Stderr: &stderr,
		Lookup:    func(key string) (string, bool) { v, ok := env[key]; return v, ok },
		Functions: functions(),
	}
	code := cli.ExitCode(command.Run(t.Context(), h, args), &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

func TestWrongUseExitsWith2AndSaysWhatIsWrong(t *testing.T) {
	given, err := filepath.Abs("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env   map[string]string
		args  []string
		stdin string
		says  string
	}{
		"no command":           {args: nil, says: "no command given"},
		"unknown command":      {args: []string{"sevre"}, says: `unknown command "sevre"`},
		"unknown flag":         {args: []string{"serve", "-prot", "80"}, says: "-prot"},
		"a flag's value":       {args: []string{"serve", "-workers", "many"}, says: "-workers"},
		"too few workers":      {args: []string{"serve", "-workers", "-1"}, says: "-workers"},
		"freeze, not isolated": {args: []string{"serve", "-freeze"}, says: "-isolate"},
		"keys of no issuer":    {args: []string{"serve", "-jwks", "jwks.json"}, says: `"jwks.json" is not ISSUER=FILE`},
		"keys from nowhere":    {args: []string{"serve", "-jwks", "https://a.example="}, says: "is not ISSUER=FILE"},
		"a parameter's form":   {args: []string{"routes", "-parameter", "Environment"}, says: "-parameter"},
		"an unknown parameter": {args: []string{"routes", "-parameter", "Colour=red", "-template", given}, says: "Colour"},
		"a stray argument":     {args: []string{"worker", "now"}, says: `"now"`},
		"a queue that is none": {args: []string{"worker", "-queues", "urgent=1"}, says: `"urgent=1"`},
		"a queue's weight":     {args: []string{"worker", "-queues", "low=0"}, says: `"low=0"`},
		"no concurrency":       {args: []string{"worker", "-concurrency", "0"}, says: "-concurrency"},
		"a worker by itself":   {args: []string{"worker"}, says: "REDIS_URL"},
		"a token for nobody":   {args: []string{"token"}, says: "-user"},
		"a token for no time":  {args: []string{"token", "-user", "asdf", "-ttl", "0s"}, says: "-ttl"},
		"no such migration":    {args: []string{"migrate", "sideways"}, says: "up, down, status"},
		"a migration's name":   {args: []string{"migrate", "new", "No Spaces!"}, says: "No Spaces!"},
		"a user, but no verb":  {args: []string{"user"}, says: "user: say one of"},
		"a user without name":  {args: []string{"user", "add"}, says: "user: say one of"},
		"a role that is none":  {args: []string{"user", "role", "ada", "king"}, says: `"king"`},
		"a password too short": {args: []string{"user", "add", "ada"}, stdin: "hunter2\n", says: "12 bytes"},
		"no password":          {args: []string{"user", "add", "ada"}, says: "12 bytes"},
		"a wrong setting":      {args: []string{"seed"}, env: map[string]string{"LOG_LEVEL": "loud"}, says: "LOG_LEVEL"},
		"a port of Redis":      {args: []string{"worker"}, env: map[string]string{"REDIS_URL": "redis://h:x"}, says: "REDIS_URL: a host"},
		"no master of Redis":   {args: []string{"jobs", "stats"}, env: map[string]string{"REDIS_URL": "redis-sentinel://h"}, says: "REDIS_URL: the name of the master"},
		"a short secret":       {args: []string{"token", "-user", "asdf"}, env: map[string]string{"AUTH_SECRET": "short"}, says: "AUTH_SECRET"},
		"no template":          {args: []string{"serve", "-template", "nowhere.yaml"}, says: "nowhere.yaml"},
		"routes, no template":  {args: []string{"routes", "-template", "nowhere.yaml"}, says: "nowhere.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			got := localhostWith(t, c.stdin, c.env, c.args...)
			if got.code != 2 || !strings.Contains(got.stderr, c.says) {
				t.Errorf("exit %d, stderr:\n%swant exit 2, and %q in it", got.code, got.stderr, c.says)
			}
			if got.stdout != "" {
				t.Errorf("stdout: %q, want nothing", got.stdout)
			}
		})
	}
}

func TestEveryWrongSettingIsNamedAtOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	got := localhost(t, map[string]string{
		"ADDR": "nowhere", "DATABASE_URL": "mysql:x", "REDIS_URL": "http://x", "LOG_LEVEL": "loud",
	}, "seed")
	for _, key := range []string{"ADDR", "DATABASE_URL", "REDIS_URL", "LOG_LEVEL"} {
		if !strings.Contains(got.stderr, "localhost: "+key+": ") {
			t.Errorf("stderr has no line for %s:\n%s", key, got.stderr)
		}
	}
	if got.code != 2 {
		t.Errorf("exit %d, want 2", got.code)
	}
}

func TestDotenv(t *testing.T) {
	t.Run("is read", func(t *testing.T) {
		inFolderWith(t, ".env", "LOG_LEVEL=loud\n")
		if got := localhost(t, nil, "seed"); got.code != 2 || !strings.Contains(got.stderr, "LOG_LEVEL") {
			t.Errorf("exit %d, stderr %q", got.code, got.stderr)
		}
	})
	t.Run("the environment wins", func(t *testing.T) {
		inFolderWith(t, ".env", "LOG_LEVEL=loud\n")
		if got := localhost(t, map[string]string{"LOG_LEVEL": "info"}, "seed"); got.code != 0 {
			t.Errorf("exit %d, stderr %q", got.code, got.stderr)
		}
	})
	t.Run("broken: an error that quotes nothing of it", func(t *testing.T) {
		inFolderWith(t, ".env", "AUTH_SECRET\nhunter2 'unfinished")
		got := localhost(t, nil, "seed")
		if got.code != 2 || !strings.Contains(got.stderr, ".env") || strings.Contains(got.stderr, "hunter2") {
			t.Errorf("exit %d, stderr %q", got.code, got.stderr)
		}
	})
}

func TestSeedCanBeRunAgain(t *testing.T) {
	t.Chdir(t.TempDir())
	for range 2 {
		got := localhost(t, nil, "seed")
		if got.code != 0 || !strings.Contains(got.stdout, "Asdf") {
			t.Fatalf("exit %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
		}
	}
}

func TestMigrate(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, step := range []struct{ verb, says string }{
		{"status", "pending"},
		{"up", "00001_"},
		{"up", "nothing to do"},
		{"down", "down "},
		{"up", "up "},
	} {
		got := localhost(t, nil, "migrate", step.verb)
		if got.code != 0 || !strings.Contains(got.stdout, step.says) {
			t.Fatalf("migrate %s: exit %d, stdout %q, stderr %q, want %q", step.verb, got.code, got.stdout, got.stderr, step.says)
		}
	}
}

func TestUser(t *testing.T) {
	t.Chdir(t.TempDir())
	const first, second = "correct horse battery staple", "another password of hers"
	for _, step := range []struct {
		args  []string
		stdin string
		code  int
		says  string
	}{
		{[]string{"user", "passwd", "ada"}, first, 1, `nobody is called "ada"`},
		{[]string{"user", "add", "ada"}, first + "\n", 0, "added <User #1 name:'ada'>"},
		{[]string{"user", "add", "ada"}, first, 1, "taken"},
		{[]string{"user", "add", "-role", "admin", "root"}, first, 0, "added <User #2 name:'root'>"},
		{[]string{"user", "role", "ada", "admin"}, "", 0, "changed"},
		{[]string{"user", "passwd", "ada"}, second, 0, "changed"},
	} {
		got := localhostWith(t, step.stdin, nil, step.args...)
		if got.code != step.code || !strings.Contains(got.stdout+got.stderr, step.says) {
			t.Fatalf("%v: exit %d, %q, %q; want %d and %q", step.args, got.code, got.stdout, got.stderr, step.code, step.says)
		}
	}
	app := function.New(config.Config{DatabaseURL: "sqlite:tmp/tandem.db"}, t.Output())
	defer app.Close(context.Background())
	db, err := database.Of(app)
	if err != nil {
		t.Fatal(err)
	}
	u, _, err := models.Users.Where("name", "ada").First(t.Context(), db)
	if err != nil || u.Role != models.RoleAdmin {
		t.Errorf("%v, role %q", err, u.Role)
	}
	for text, want := range map[string]bool{first: false, second: true} {
		if fits, err := password.Check(u.PasswordHash, text); fits != want || err != nil {
			t.Errorf("%q fits: %v, %v", text, fits, err)
		}
	}
}

func TestUserPasswdEndsTheSessionsOfThePasswordBefore(t *testing.T) {
	t.Chdir(t.TempDir())
	app := apptest.New(t, func(c *config.Config) { c.DatabaseURL = "sqlite:tmp/tandem.db" })
	const first, second = "correct horse battery staple", "another password of hers"
	if got := localhostWith(t, first, nil, "user", "add", "ada"); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	db, err := database.Of(app.App)
	if err != nil {
		t.Fatal(err)
	}
	hash := func() string {
		u, err := models.Users.FindOrFail(t.Context(), db, 1)
		if err != nil {
			t.Fatal(err)
		}
		return u.PasswordHash
	}
	before := hash()
	token, _, err := auth.Begin("ada", 1, before).Token(app.Config)
	if err != nil {
		t.Fatal(err)
	}
	protected := app.Serve(bar.Function) // which looks at the token alone
	status := func() int {
		return apptest.Do(t, "POST", protected+"/bar", "{}", http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}).Status
	}

	got := localhostWith(t, second, map[string]string{"REDIS_URL": "redis://127.0.0.1:1"}, "user", "passwd", "ada")
	if got.code != 1 || strings.Count(got.stderr, "\n") != 1 || hash() != before || status() != 422 {
		t.Errorf("Redis is not there: exit %d, %q; the password changed: %v", got.code, got.stderr, hash() != before)
	}
	got = localhostWith(t, second, map[string]string{"REDIS_URL": app.Config.RedisURL.Reveal()}, "user", "passwd", "ada")
	if got.code != 0 || hash() == before || status() != 401 {
		t.Errorf("exit %d, %q; the password changed: %v, a token of before: %d", got.code, got.stderr, hash() != before, status())
	}
}

func TestTokenIsPrintedAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	got := localhost(t, nil, "token", "-user", "asdf")
	if got.code != 0 || strings.Count(got.stdout, ".") != 2 || strings.Count(got.stdout, "\n") != 1 {
		t.Errorf("exit %d, stdout %q, stderr %q: want one line with a JWT", got.code, got.stdout, got.stderr)
	}
}

func TestVersion(t *testing.T) {
	got := localhost(t, nil, "version")
	if got.code != 0 || !strings.HasPrefix(got.stdout, "github.com/tandem-api/tandem ") || !strings.HasSuffix(got.stdout, " "+runtime.Version()+"\n") {
		t.Errorf("exit %d, stdout %q, stderr %q: want the module and Go's version", got.code, got.stdout, got.stderr)
	}
}

func TestAnUnreachableDependencyEndsTheCommand(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"redis":    {"REDIS_URL": "redis://:hunter2@127.0.0.1:1/0"},
		"postgres": {"DATABASE_URL": "postgres://me:hunter2@127.0.0.1:1/db"},
		"sqlite":   {"DATABASE_URL": "sqlite:/dev/null/no.db"},
	} {
		t.Run(name, func(t *testing.T) {
			inFolderWith(t, "template.yaml", "Resources: {}\n")
			env["ADDR"] = "127.0.0.1:0"
			env["AUTH_SECRET"] = strings.Repeat("x", 32)
			got := localhost(t, env, "serve")
			if got.code != 1 || strings.Count(got.stderr, "\n") != 1 {
				t.Errorf("exit %d, stderr %q: want exit 1 and one line", got.code, got.stderr)
			}
			if strings.Contains(got.stderr, "hunter2") {
				t.Errorf("stderr shows the password: %q", got.stderr)
			}
		})
	}
}
