package models

import "strings"

// maxPattern bounds a pattern, in bytes: SQLite refuses those over 50,000, and the
// translation to GLOB makes three bytes of one.
const maxPattern = 4096

// maxFloating bounds what follows a % in a pattern: both databases try it at each byte
// of a text, so that it costs its length times the text's.
const maxFloating = 256

// escape is the character that takes the meaning from a % or _ after it, in a pattern
// of like and ilike.
const escape = '\\'

const tooFloating = wrongValue("the text is too long: 256 bytes at most where any text may stand before it")

func checkPattern(o operator, text string) error {
	if len(text) > maxPattern {
		return wrongValue("the text is too long: 4096 bytes at most")
	}
	if o.before && len(text) > maxFloating {
		return tooFloating
	}
	if !o.given {
		return nil
	}
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && len(text)-i-1 > maxFloating {
			return tooFloating
		}
		if text[i] != escape {
			continue
		}
		if i++; i == len(text) {
			return wrongValue(`the pattern ends with a \ that escapes nothing`)
		}
	}
	return nil
}

// likePattern returns the pattern for LIKE, with the escape character.
func likePattern(o operator, text string) string {
	if o.given {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 2)
	if o.before {
		b.WriteByte('%')
	}
	for i := range len(text) {
		if c := text[i]; c == '%' || c == '_' || c == escape {
			b.WriteByte(escape)
		}
		b.WriteByte(text[i])
	}
	if o.after {
		b.WriteByte('%')
	}
	return b.String()
}

// globPattern returns the pattern for SQLite's GLOB, which tells large letters from
// small ones as Postgres' LIKE does, and SQLite's own LIKE does not.
func globPattern(o operator, text string) string {
	var b strings.Builder
	b.Grow(len(text) + 2)
	if o.before {
		b.WriteByte('*')
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case o.given && c == escape: // checkPattern saw that one follows
			i++
			globLiteral(&b, text[i])
		case o.given && c == '%':
			b.WriteByte('*')
		case o.given && c == '_':
			b.WriteByte('?')
		default:
			globLiteral(&b, c)
		}
	}
	if o.after {
		b.WriteByte('*')
	}
	return b.String()
}

func globLiteral(b *strings.Builder, c byte) {
	if c == '*' || c == '?' || c == '[' {
		b.WriteByte('[')
		b.WriteByte(c)
		b.WriteByte(']')
		return
	}
	b.WriteByte(c)
}
