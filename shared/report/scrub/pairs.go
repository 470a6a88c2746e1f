package scrub

import "strings"

// pairs hides the value of each name=value, name:value and "name": value whose name
// Key knows.
func pairs(s string) string {
	var out strings.Builder
	from := 0
	for i := 0; i < len(s); i++ {
		if s[i] != '=' && s[i] != ':' {
			continue
		}
		start, end := secretAt(s, from, i)
		if start == end {
			continue
		}
		out.WriteString(s[from:start])
		out.WriteString(Hidden)
		from, i = end, end-1
	}
	if from == 0 {
		return s
	}
	out.WriteString(s[from:])
	return out.String()
}

// secretAt returns where the secret stands that the = or : at i sets, or an empty
// range. Before from, all has been dealt with.
func secretAt(s string, from, i int) (start, end int) {
	before := strings.TrimRight(s[from:i], " ")
	name := strings.TrimRight(before, `"'\`)
	quoted := len(name) < len(before)
	name = name[len(name)-nameLen(name):]
	if name == "" || !Key(name) {
		return i, i
	}
	start = i + 1
	if s[i] == ':' && !quoted {
		return start, start + plainColon(name, s[start:])
	}
	for start < len(s) && s[start] == ' ' {
		start++
	}
	return start, start + valueLen(s[start:])
}

// plainColon is the length of the value after `name:`. In a sentence, the colon
// after a name starts an explanation ("parse token: unexpected end"), so a space
// means a value only after a header's name; and auth.go:42 is a place, as
// auth-service:8080 is.
func plainColon(name, rest string) int {
	if strings.HasPrefix(rest, " ") {
		if isHeader(name) {
			return len(until(rest, "\r\n"))
		}
		return 0
	}
	if strings.HasPrefix(rest, "//") {
		return 0
	}
	n := valueLen(rest)
	digits := strings.Trim(rest[:n], "0123456789") == ""
	if digits && strings.ContainsAny(name, ".-") {
		return 0
	}
	return n
}

func isHeader(name string) bool {
	for _, header := range [...]string{"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key"} {
		if strings.EqualFold(name, header) {
			return true
		}
	}
	return false
}

// nameLen is the length of the name that s ends with; user[password] is one.
func nameLen(s string) int {
	i := len(s)
	for i > 0 && (isNameByte(s[i-1]) || s[i-1] == '[' || s[i-1] == ']') {
		i--
	}
	return len(s) - i
}

// valueLen is the length of the value that s begins with: a quoted text, a list or
// an object as a whole, or else what goes on to the next space, quote, & or ;.
func valueLen(s string) int {
	body := strings.TrimLeft(s, `\`)
	if body == "" {
		return 0
	}
	switch quote := body[0]; quote {
	case '"', '\'', '`':
		return quotedLen(s, quote, len(s)-len(body))
	case '[':
		return bracketLen(s, '[', ']')
	case '{':
		return bracketLen(s, '{', '}')
	}
	value := until(s, " \t\r\n&;\"'`<>")
	return len(strings.TrimRight(value, `,.:)]}\`))
}

// quotedLen finds the closing quote. Text that was quoted twice has its quotes
// behind a number of backslashes; one behind more of them is part of the value.
func quotedLen(s string, quote byte, escapes int) int {
	slashes := 0
	for i := escapes + 1; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			slashes++
			continue
		case s[i] == quote && slashes <= escapes:
			return i + 1
		}
		slashes = 0
	}
	return len(s)
}

func bracketLen(s string, open, shut byte) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case open:
			depth++
		case shut:
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}
