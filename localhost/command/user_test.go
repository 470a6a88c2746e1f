package command

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/localhost/cli"
)

func TestNamesThatNobodyCouldLogInWith(t *testing.T) {
	for name, bad := range map[string]string{
		"none": "", "a space": " ", "a space before": " ada", "a space after": "ada ", "two spaces": "ada  l",
		"a line's end": "a\nb", "a line's end after": "ada\n", "a tab": "a\tb", "too long": strings.Repeat("é", 101), "no UTF-8": "a\xffb",
	} {
		t.Run(name, func(t *testing.T) {
			var says strings.Builder
			err := user(t.Context(), cli.Host{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard}, []string{"add", bad})
			if code := cli.ExitCode(err, &says); code != 2 || !strings.Contains(says.String(), "is no name") || strings.Count(strings.TrimSpace(says.String()), "\n") > 0 {
				t.Errorf("exit %d, which says %q", code, says.String())
			}
		})
	}
	for _, good := range []string{"a", "Ada Lovelace", strings.Repeat("é", 100)} {
		if !fitName(good) {
			t.Errorf("%q is refused", good)
		}
	}
}

// One rule for a name: that of the command, and that of the schema.
func TestTheRuleIsThatOfTheSchema(t *testing.T) {
	text, err := os.ReadFile("../../functions/users/create.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties struct {
			Name struct {
				Pattern              string
				MinLength, MaxLength int
			}
		}
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	if n := schema.Properties.Name; n.Pattern != words.String() || n.MinLength != 1 || n.MaxLength != longestName {
		t.Errorf("%+v", n)
	}
}
