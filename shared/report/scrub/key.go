// Package scrub takes secrets out of what is about to leave the process, by the
// names that they go under and by the forms that they come in. It errs on the side
// of hiding: a hidden word costs a look into the log, a sent password costs a new
// one.
package scrub

import "strings"

// Hidden stands where a secret stood.
const Hidden = "[hidden]"

// words give away a secret wherever they stand in a name: dbPassword, X-Api-Key,
// user[session_token]. Names are compared in lower case and without punctuation.
var words = [...]string{
	"password", "passwd", "passphrase", "pwd", "secret", "token", "jwt", "bearer", "apikey", "accesskey", "privatekey",
	"signingkey", "encryptionkey", "credential", "session", "cookie", "signature", "csrf", "xsrf", "cardnumber", "cvv",
}

// Key reports whether a value under that name (a header, a parameter, a field) is
// to be hidden.
func Key(name string) bool {
	var space [64]byte
	plain := space[:0]
	for i := range len(name) {
		switch c := name[i]; {
		case 'A' <= c && c <= 'Z':
			plain = append(plain, c+'a'-'A')
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c >= 0x80:
			plain = append(plain, c)
		}
	}
	key := string(plain)
	switch key {
	case "pass", "sid", "sig", "pin", "otp":
		return true
	}
	for _, word := range words {
		if strings.Contains(key, word) {
			return true
		}
	}
	return hasAuth(key)
}

// hasAuth looks for auth, oauth and authorization, but not for an author.
func hasAuth(key string) bool {
	for {
		_, rest, found := strings.Cut(key, "auth")
		if !found {
			return false
		}
		after, or := strings.CutPrefix(rest, "or")
		if !or || strings.HasPrefix(after, "iz") || strings.HasPrefix(after, "is") {
			return true
		}
		key = rest
	}
}
