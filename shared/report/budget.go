package report

import (
	"strings"
	"unicode/utf8"

	"github.com/tandem-api/tandem/shared/config"
	"github.com/tandem-api/tandem/shared/report/scrub"
)

// maxNotice bounds what a notice takes in JSON, without the few hundred bytes that
// the client adds: an error with a megabyte of text must not become one.
const maxNotice = 56 << 10

// budget is what is left of a notice's size. All text of a notice goes through it,
// so it is also the one place where secrets are hidden.
type budget struct {
	left    int
	secrets secrets
}

// text returns s without secrets, and cut to at most that many bytes of JSON.
func (b *budget) text(s string, most int) string {
	// What is far too long is cut before it is searched, and a margin is kept so
	// that no secret at the cut goes unrecognized for want of its end.
	if limit := 4 * most; len(s) > limit {
		s = s[:limit]
	}
	s = scrub.Text(b.secrets.hide(s))
	most = max(0, min(most, b.left))
	for i, size := 0, 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		size += jsonSize(r, n)
		if size > most {
			b.left -= most
			return strings.ToValidUTF8(s[:i], "�") + "…"
		}
		if i += n; i == len(s) {
			b.left -= size
		}
	}
	return strings.ToValidUTF8(s, "�")
}

// spend takes what the JSON around a value needs, and reports whether anything is
// left for the value.
func (b *budget) spend(n int) bool {
	b.left -= n
	return b.left > 0
}

// jsonSize is the most that encoding/json makes of a rune that takes n bytes.
func jsonSize(r rune, n int) int {
	if r < ' ' || r == '"' || r == '\\' || r == '<' || r == '>' || r == '&' || r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
		return len(`\u0000`)
	}
	return n
}

// secrets are values that must not be sent whatever stands around them.
type secrets []string

// minSecret is the least length of a secret that is looked for by its value. Shorter
// ones are too often words by themselves, such as the password "postgres", and are
// hidden by the form that they stand in.
const minSecret = 9

func newSecrets(all []config.Secret) secrets {
	var s secrets
	for _, secret := range all {
		if v := secret.Reveal(); len(v) >= minSecret {
			s = append(s, v)
		}
	}
	return s
}

func (s secrets) hide(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, scrub.Hidden)
	}
	return text
}
