package dotenv_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/localhost/dotenv"
)

func TestLookup(t *testing.T) {
	file := filepath.Join(t.TempDir(), dotenv.File)
	text := strings.Join([]string{
		`# a comment with $A`, `A=one`, `B=Tr0ub4dor$3xyzzy`, `C="$A and\n${A}"`, `D='$A'`, `E=$A # said`, `export F=two`, `G=`,
	}, "\n")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	lookup, err := dotenv.Lookup(func(key string) (string, bool) { return "wins", key == "F" }, file)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"A": "one", "B": "Tr0ub4dor$3xyzzy", "C": "$A and\n${A}", "D": "$A", "E": "$A", "F": "wins", "G": "",
	} {
		if got, ok := lookup(key); got != want || !ok {
			t.Errorf("%s is %q, %t; want %q", key, got, ok, want)
		}
	}
	if _, ok := lookup("H"); ok {
		t.Error("a variable that is nowhere is there")
	}
}

func TestUnreadable(t *testing.T) {
	file := filepath.Join(t.TempDir(), dotenv.File)
	if err := os.WriteFile(file, []byte("secret-without-a-name\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	none := func(string) (string, bool) { return "", false }
	if _, err := dotenv.Lookup(none, file); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if _, err := dotenv.Lookup(none, file+".none"); err != nil {
		t.Errorf("without a file: %v", err)
	}
}
