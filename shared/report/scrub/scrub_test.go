package scrub_test

import (
	"strings"
	"testing"

	"github.com/tandem-api/tandem/shared/report/scrub"
)

func TestKey(t *testing.T) {
	for _, name := range []string{
		"password", "PASSWORD", "user[password]", "db_passwd", "pass", "Passphrase", "client_secret", "AUTH_SECRET", "token",
		"accessToken", "refresh-token", "X-Api-Key", "api_key", "apikey", "AWS_ACCESS_KEY_ID", "privateKey", "credentials",
		"session", "SessionID", "sid", "auth", "Authorization", "authorisation", "Proxy-Authorization", "oauth_verifier",
		"Cookie", "Set-Cookie", "X-Amz-Signature", "sig", "X-CSRF-Token", "jwt", "author_auth",
	} {
		if !scrub.Key(name) {
			t.Errorf("Key(%q) = false, want true", name)
		}
	}
	for _, name := range []string{
		"", "name", "author", "authors", "user", "email", "requestId", "path", "color", "key", "compass", "passenger", "Accept",
		"Content-Type", "keyboard", "signal", "pinned",
	} {
		if scrub.Key(name) {
			t.Errorf("Key(%q) = true, want false", name)
		}
	}
}

func TestText(t *testing.T) {
	const h = scrub.Hidden
	for name, c := range map[string]struct{ in, want string }{
		"nothing":                       {"find user 7: record not found", "find user 7: record not found"},
		"a URL without userinfo":        {"get https://a.b/c?d=e@f: EOF", "get https://a.b/c?d=e@f: EOF"},
		"a URL with userinfo":           {"dial redis://default:pa55@host:6379/0: EOF", "dial redis://" + h + "@host:6379/0: EOF"},
		"a user alone":                  {"https://user@host/", "https://" + h + "@host/"},
		"two URLs":                      {"http://a:b@c and http://d:e@f", "http://" + h + "@c and http://" + h + "@f"},
		"a password with / and @":       {"postgres://u:p@s/s#w@host/db", "postgres://" + h + "@host/db"},
		"a quoted URL with a space":     {`parse "postgres://u:p w@host/db": bad`, `parse "postgres://` + h + `@host/db": bad`},
		"an http URL's later @":         {"https://u:p@host/x?mail=a@b", "https://" + h + "@host/x?mail=a@b"},
		"a query in a URL":              {"get /reset?token=abc&n=1", "get /reset?token=" + h + "&n=1"},
		"name=value":                    {"password=hunter2 host=db", "password=" + h + " host=db"},
		"name = value":                  {"password = hunter2, host = db", "password = " + h + ", host = db"},
		"name='quoted value'":           {"password='hunter 2' host=db", "password=" + h + " host=db"},
		"a form's brackets":             {"user[password]=hunter2&a=b", "user[password]=" + h + "&a=b"},
		"JSON":                          {`{"user":"a","password":"hunter \"2\"","n":1}`, `{"user":"a","password":` + h + `,"n":1}`},
		"JSON with spaces":              {`{"api_key" : "abc", "n": 1}`, `{"api_key" : ` + h + `, "n": 1}`},
		"JSON in JSON":                  {`"{\"password\":\"hunter2\",\"n\":1}"`, `"{\"password\":` + h + `,\"n\":1}"`},
		"a number in JSON":              {`{"pin":1234,"n":1}`, `{"pin":` + h + `,"n":1}`},
		"a list in JSON":                {`{"tokens":["a","b"],"n":1}`, `{"tokens":` + h + `,"n":1}`},
		"an object in JSON":             {`{"auth":{"user":"a","x":{}},"n":1}`, `{"auth":` + h + `,"n":1}`},
		"a cut JSON":                    {`{"password":"hunter2`, `{"password":` + h},
		"a struct by %+v":               {"{Name:a Password:hunter2}", "{Name:a Password:" + h + "}"},
		"a map by %v":                   {"map[password:hunter2 user:a]", "map[password:" + h + " user:a]"},
		"headers by %v":                 {"map[X-Api-Key:[a b] Accept:[c]]", "map[X-Api-Key:" + h + " Accept:[c]]"},
		"a header's line":               {"Authorization: Basic dTpw\r\nAccept: c", "Authorization:" + h + "\r\nAccept: c"},
		"a sentence about a token":      {"parse token: unexpected end", "parse token: unexpected end"},
		"a sentence about a session":    {"the session: gone", "the session: gone"},
		"a source file":                 {"auth.go:42 token.go:7", "auth.go:42 token.go:7"},
		"a host and port":               {"dial tcp auth-service:8080: refused", "dial tcp auth-service:8080: refused"},
		"a scheme":                      {"secret://vault", "secret://vault"},
		"a bearer token":                {"got Bearer abc123.def, want none", "got Bearer " + h + ", want none"},
		"a sentence about bearers":      {"a bearer token is missing", "a bearer token is missing"},
		"a JWT anywhere":                {"token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln is expired", "token " + h + " is expired"},
		"a name at the end":             {"password=", "password="},
		"only separators":               {"=:=:", "=:=:"},
		"not UTF-8":                     {"\xff password=\xfe\xff x", "\xff password=" + h + " x"},
		"a name right after a value":    {"token=a;secret=b", "token=" + h + ";secret=" + h},
		"a percent-encoded pair is one": {"x%3Dtoken", "x%3Dtoken"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := scrub.Text(c.in); got != c.want {
				t.Errorf("Text(%q)\n got %q\nwant %q", c.in, got, c.want)
			}
		})
	}
}

func TestQuery(t *testing.T) {
	const h = scrub.Hidden
	for name, c := range map[string]struct{ in, want string }{
		"empty":                  {"", ""},
		"nothing secret":         {"a=1&b=%20&a=2", "a=1&b=%20&a=2"},
		"a password":             {"a=1&password=x%20y&b=2", "a=1&password=" + h + "&b=2"},
		"an encoded name":        {"user%5Bpassw%6Frd%5D=x", "user%5Bpassw%6Frd%5D=" + h},
		"a URL within":           {"next=https%3A%2F%2Fu%3Ap%40h%2F%3Ftoken%3Dabc", "next=https%3A%2F%2F%5Bhidden%5D%40h%2F%3Ftoken%3D%5Bhidden%5D"},
		"a bad escape":           {"token=%zz&a=%zz", "token=" + h + "&a=%zz"},
		"a token without a name": {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "%5Bhidden%5D"},
		"separators alone":       {"&&=&", "&&=&"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := scrub.Query(c.in); got != c.want {
				t.Errorf("Query(%q)\n got %q\nwant %q", c.in, got, c.want)
			}
		})
	}
}

// Scrubbing twice changes nothing, and no input makes it fail or slow.
func FuzzText(f *testing.F) {
	f.Add("postgres://u:p@h/db?password=x")
	f.Add(`{"token":"a\"b","auth":[{}]}`)
	f.Add(`Authorization: Bearer abc`)
	f.Fuzz(func(t *testing.T, s string) {
		once := scrub.Text(s)
		if twice := scrub.Text(once); twice != once {
			t.Errorf("Text(%q) = %q, and again %q", s, once, twice)
		}
		if len(once) > len(s)*len(scrub.Hidden)+len(scrub.Hidden) {
			t.Errorf("Text(%q) grew to %d bytes", s, len(once))
		}
	})
}

func BenchmarkText(b *testing.B) {
	for name, s := range map[string]string{
		"clean":  "find user 7 of the organization: record not found (table users, column name)",
		"secret": "dial postgres://user:pass@db.internal:5432/app?sslmode=require: connection refused, token=abc",
		"long":   strings.Repeat(`{"name":"value","password":"hunter2"} `, 100),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				scrub.Text(s)
			}
		})
	}
}
