package scrub

import "strings"

// Text hides the secrets that it recognizes in running text, such as an error's
// message or a header's value:
//
//	postgres://user:pass@host/db      the userinfo of a URL
//	token=abc  "password":"abc"       the value of a name that Key knows
//	Authorization: Basic abc          the rest of a header's line
//	Bearer abc1  eyJhbGci….….…        tokens that stand by themselves
func Text(s string) string {
	return tokens(pairs(userinfo(s)))
}

// userinfo hides what stands before the @ of a URL.
func userinfo(s string) string {
	var out strings.Builder
	for {
		i := strings.Index(s, "://")
		if i < 0 {
			break
		}
		start := i + len("://")
		out.WriteString(s[:start])
		rest := mayHoldUserinfo(s, i)
		if at := strings.LastIndexByte(rest, '@'); at > 0 {
			out.WriteString(Hidden)
			s = s[start+at:]
		} else {
			out.WriteString(rest)
			s = s[start+len(rest):]
		}
	}
	if out.Len() == 0 {
		return s
	}
	out.WriteString(s)
	return out.String()
}

// mayHoldUserinfo returns what of s follows the "://" at i and may hold userinfo. A
// password that was not escaped may itself hold / ? # and @, so that is all of the
// URL; but in an http URL a later @ is mostly an address in the query.
func mayHoldUserinfo(s string, i int) string {
	scheme := i
	for scheme > 0 && isNameByte(s[scheme-1]) {
		scheme--
	}
	end := " \t\r\n\"'`<>"
	if scheme > 0 && strings.IndexByte("\"'`", s[scheme-1]) >= 0 {
		end = s[scheme-1 : scheme]
	}
	if http := s[scheme:i]; http == "http" || http == "https" {
		end += "/?#"
	}
	return until(s[i+len("://"):], end)
}

// until returns s up to the first of the bytes in stop.
func until(s, stop string) string {
	if i := strings.IndexAny(s, stop); i >= 0 {
		return s[:i]
	}
	return s
}

// tokens hides what follows the word Bearer, and JSON web tokens anywhere.
func tokens(s string) string {
	var out strings.Builder
	from := 0
	for i := 0; i < len(s); {
		n := len(tokenRun(s[i:]))
		if n == 0 {
			i++
			continue
		}
		word := s[i : i+n]
		if isJWT(word) || afterBearer(s[:i]) && looksRandom(word) {
			out.WriteString(s[from:i])
			out.WriteString(Hidden)
			from = i + n
		}
		i += n
	}
	if from == 0 {
		return s
	}
	out.WriteString(s[from:])
	return out.String()
}

// tokenRun returns the b64token that s begins with (RFC 6750, section 2.1).
func tokenRun(s string) string {
	i := 0
	for i < len(s) && (isNameByte(s[i]) || strings.IndexByte("~+/=", s[i]) >= 0) {
		i++
	}
	return s[:i]
}

// isJWT knows a token by its first part, which is JSON and so begins with {".
func isJWT(word string) bool {
	return strings.HasPrefix(word, "eyJ") && strings.Count(word, ".") >= 2
}

func afterBearer(before string) bool {
	const word = "bearer "
	return len(before) >= len(word) && strings.EqualFold(before[len(before)-len(word):], word)
}

// looksRandom tells a token from the next word of a sentence.
func looksRandom(word string) bool {
	return len(word) >= 20 || len(word) >= 4 && strings.ContainsAny(word, "0123456789_")
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.'
}
