package command

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/tandem-api/tandem/localhost/cli"
	"github.com/tandem-api/tandem/shared/auth"
	"github.com/tandem-api/tandem/shared/database"
	"github.com/tandem-api/tandem/shared/function"
	"github.com/tandem-api/tandem/shared/models"
	"github.com/tandem-api/tandem/shared/password"
)

// user keeps the users who may log in: it is how the first of them, and every
// admin, comes to be.
func user(ctx context.Context, h cli.Host, args []string) error {
	flags := flag.NewFlagSet("user", flag.ContinueOnError)
	role := flags.String("role", string(models.RoleUser), "with add: the new user's `role`, user or admin")
	verb := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		verb, args = args[0], args[1:]
	}
	if err := h.ParseFlags(flags, args); err != nil {
		return err
	}
	wanted := map[string]int{"add": 1, "passwd": 1, "role": 2}
	if n, ok := wanted[verb]; !ok || n != flags.NArg() {
		return cli.UsageError{Err: errors.New("user: say one of add [-role ROLE] NAME, passwd NAME, or role NAME ROLE")}
	}
	name := flags.Arg(0)
	if verb == "add" && !fitName(name) {
		return cli.UsageError{Err: fmt.Errorf("user: %q is no name: it has 1 to 100 characters, and no space around it or other than single ones in it", name)}
	}
	if verb == "role" {
		*role = flags.Arg(1)
	}
	if !slices.Contains([]models.Role{models.RoleUser, models.RoleAdmin}, models.Role(*role)) {
		return cli.UsageError{Err: fmt.Errorf("user: there is no role %q: say user or admin", *role)}
	}
	return h.WithApp(func(app *function.App) error {
		if err := cli.ReadyDatabase(ctx, app); err != nil {
			return err
		}
		switch verb {
		case "add":
			return addUser(ctx, h, app, models.User{Name: name, Role: models.Role(*role)})
		case "passwd":
			return setPassword(ctx, h, app, name)
		default:
			return changeUser(ctx, h, app, name, models.Fields{"role": *role})
		}
	})
}

// What functions/users/create.json says of a name.
var words = regexp.MustCompile(`^\S+( \S+)*$`)

const longestName = 100 // in characters

// fitName is the rule of the schemas of functions/users, which a test compares: a name
// that HTTP refuses must not come in here.
func fitName(name string) bool {
	return utf8.ValidString(name) && utf8.RuneCountInString(name) <= longestName && words.MatchString(name)
}

func addUser(ctx context.Context, h cli.Host, app *function.App, u models.User) error {
	hash, err := askPassword(h)
	if err != nil {
		return err
	}
	u.PasswordHash = hash
	db, err := database.Of(app)
	if err != nil {
		return err
	}
	if err := models.Users.Create(ctx, db, &u); err != nil {
		if _, taken := errors.AsType[*models.ConflictError](err); taken {
			return fmt.Errorf("user add: the name %q is taken", u.Name)
		}
		return fmt.Errorf("user add: %w", err)
	}
	_, err = fmt.Fprintln(h.Stdout, "added", u)
	return err
}

func setPassword(ctx context.Context, h cli.Host, app *function.App, name string) error {
	hash, err := askPassword(h)
	if err != nil {
		return err
	}
	return changeUser(ctx, h, app, name, models.Fields{"password_hash": hash})
}

// changeUser changes a user in a transaction. A new password ends the sessions of the
// one before.
func changeUser(ctx context.Context, h cli.Host, app *function.App, name string, fields models.Fields) error {
	db, err := database.Of(app)
	if err != nil {
		return err
	}
	var u models.User
	err = database.Transaction(ctx, db, func(tx *database.DB) error {
		row, found, err := models.Users.Where("name", name).ForUpdate().First(ctx, tx)
		switch {
		case err != nil:
			return err
		case !found:
			return fmt.Errorf("nobody is called %q", name)
		}
		u = row
		before := u.PasswordHash
		if err := models.Users.Update(ctx, tx, &u, fields); err != nil {
			return err
		}
		// An embedded Redis is the server's own, and not reached from here: there, who
		// does not look at the user takes a token until it ends.
		if u.PasswordHash == before || app.Config.RedisURL == "" {
			return nil
		}
		return auth.RevokeAll(ctx, app, u.ID, before)
	})
	if err != nil {
		return fmt.Errorf("user: %w", err)
	}
	_, err = fmt.Fprintln(h.Stdout, "changed", u)
	return err
}

// askPassword reads a password, and returns its hash. At a terminal it is not shown, and
// asked for twice; else it is the first line of the standard input. It is no argument:
// those can be seen by every user of the machine.
func askPassword(h cli.Host) (string, error) {
	text, err := readPassword(h)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	hash, err := password.Hash(text)
	if err != nil {
		return "", cli.UsageError{Err: err}
	}
	return hash, nil
}

func readPassword(h cli.Host) (string, error) {
	if f, ok := h.Stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return typePassword(h, int(f.Fd()))
	}
	line, err := bufio.NewReader(io.LimitReader(h.Stdin, password.Max+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func typePassword(h cli.Host, terminal int) (string, error) {
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Again: "} {
		fmt.Fprint(h.Stderr, prompt)
		text, err := term.ReadPassword(terminal)
		fmt.Fprintln(h.Stderr)
		if err != nil {
			return "", err
		}
		typed[i] = string(text)
	}
	if typed[0] != typed[1] {
		return "", cli.UsageError{Err: errors.New("the two are not the same")}
	}
	return typed[0], nil
}
