package password_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/shared/password"
)

const good = "correct horse battery staple"

func hash(t testing.TB) string {
	t.Helper()
	h, err := password.Hash(good)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestCheck(t *testing.T) {
	own := hash(t)
	for _, c := range []struct {
		name, hash, text string
		fits             bool
	}{
		{"the password", own, good, true},
		{"another", own, good + "!", false},
		{"nothing", own, "", false},
		{"other letters", own, strings.ToUpper(good), false},
		{"a megabyte", own, strings.Repeat("a", 1<<20), false},
		{"nobody's", "", good, false},
		{"nobody's, and nothing", "", "", false},
		{"made at another cost", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if fits, err := password.Check(c.hash, c.text); fits != c.fits || err != nil {
				t.Errorf("%v, %v; want %v", fits, err, c.fits)
			}
		})
	}
}

func TestAHashThatCannotBeChecked(t *testing.T) {
	own := hash(t)
	for name, h := range map[string]string{
		"no hash":             "hello",
		"bcrypt":              "$2b$12$KIXQJQ9Zc1vX1Zc1vX1ZcO",
		"argon2i":             strings.Replace(own, "argon2id", "argon2i", 1),
		"another version":     strings.Replace(own, "v=19", "v=16", 1),
		"all of the memory":   strings.Replace(own, "m=19456", "m=4294967295", 1),
		"no memory":           strings.Replace(own, "m=19456", "m=0", 1),
		"passes for ever":     strings.Replace(own, "t=2", "t=4000000000", 1),
		"no thread":           strings.Replace(own, "p=1", "p=0", 1),
		"cut short":           own[:len(own)-4],
		"something after it":  own + "$x",
		"not base64":          own[:len(own)-1] + "!",
		"a cost that is none": strings.Replace(own, "m=19456", "m=many", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if fits, err := password.Check(h, good); fits || err == nil {
				t.Errorf("%v, %v; want an error", fits, err)
			}
		})
	}
}

func TestHash(t *testing.T) {
	if a, b := hash(t), hash(t); a == b || strings.Contains(a, good) {
		t.Errorf("two hashes of one password: %s and %s", a, b)
	}
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"too short": {"hunter2", password.ErrTooShort},
		"too long":  {strings.Repeat("a", password.Max+1), password.ErrTooLong},
		"no text":   {"\xff\xfe\xfd and so on", password.ErrNoText},
	} {
		if h, err := password.Hash(c.text); !errors.Is(err, c.want) || h != "" {
			t.Errorf("%s: %q, %v; want %v", name, h, err, c.want)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	own := hash(b)
	for name, h := range map[string]string{"a user": own, "nobody": ""} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = password.Check(h, "a wrong password")
			}
		})
	}
}
