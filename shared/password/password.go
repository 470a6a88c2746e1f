// Package password hashes passwords with argon2id (RFC 9106) and checks them.
package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// cost is what one hash takes: of OWASP's choices for argon2id ("Password Storage
// Cheat Sheet") the one that fits a small Lambda function.
type cost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

var current = cost{memory: 19 << 10, passes: 2, threads: 1}

const (
	saltBytes = 16
	hashBytes = 32
)

// The length of a password, in bytes.
const (
	Min = 12
	Max = 1024
)

// ErrTooShort and its siblings say why a text is no password.
var (
	ErrTooShort = fmt.Errorf("a password needs %d bytes at least", Min)
	ErrTooLong  = fmt.Errorf("a password has %d bytes at most", Max)
	ErrNoText   = errors.New("a password is text in UTF-8")
)

// Valid returns why the text may not be a password, or nil.
func Valid(text string) error {
	switch {
	case len(text) < Min:
		return ErrTooShort
	case len(text) > Max:
		return ErrTooLong
	case !utf8.ValidString(text):
		return ErrNoText
	}
	return nil
}

// atOnce bounds the hashes that are computed at once, and with them the memory: more
// than there are processors would only wait for each other.
var atOnce = make(chan struct{}, runtime.GOMAXPROCS(0))

func (c cost) key(text string, salt []byte) []byte {
	atOnce <- struct{}{}
	defer func() { <-atOnce }()
	return argon2.IDKey([]byte(text), salt, c.passes, c.memory, c.threads, hashBytes)
}

// Hash returns what to keep of a valid password: the hash with its salt and cost, in
// the PHC string format, $argon2id$v=19$m=…,t=…,p=…$salt$hash.
func Hash(text string) (string, error) {
	if err := Valid(text); err != nil {
		return "", err
	}
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	return current.encode(salt, current.key(text, salt)), nil
}

func (c cost) encode(salt, hash []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.passes, c.threads,
		b64.EncodeToString(salt), b64.EncodeToString(hash))
}

// nobody's hash fits no password. It is checked where there is none, so that a name
// that nobody has takes as long as a wrong password.
var nobody = current.encode(make([]byte, saltBytes), make([]byte, hashBytes))

// Check reports whether the text is the password that the hash was made of. An empty
// hash is nobody's: it fits nothing, and takes as long as any other.
func Check(hash, text string) (bool, error) {
	if len(text) > Max { // it never was one, and would only cost time
		text = ""
	}
	if hash == "" {
		hash = nobody
	}
	c, salt, want, err := decode(hash)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(c.key(text, salt), want) == 1, nil
}

// The most that a hash from the database may ask for, so that a wrong row cannot take
// the memory of the process.
const (
	maxMemory = 256 << 10 // KiB
	maxPasses = 16
)

func decode(hash string) (c cost, salt, key []byte, err error) {
	bad := errors.New("not an argon2id hash that this program can check")
	part := strings.Split(hash, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, bad
	}
	if n, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &c.threads); n != 3 || err != nil ||
		c.memory == 0 || c.memory > maxMemory || c.passes == 0 || c.passes > maxPasses || c.threads == 0 {
		return c, nil, nil, bad
	}
	salt, err = base64.RawStdEncoding.DecodeString(part[4])
	if err != nil || len(salt) == 0 {
		return c, nil, nil, bad
	}
	key, err = base64.RawStdEncoding.DecodeString(part[5])
	if err != nil || len(key) != hashBytes {
		return c, nil, nil, bad
	}
	return c, salt, key, nil
}
