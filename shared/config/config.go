// Package config reads the settings, all of them in one place. No other package
// looks at the environment.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Lookup finds a variable of the environment; os.LookupEnv is one.
type Lookup func(key string) (value string, ok bool)

// Secret is a value that must not appear in logs, reports or errors: printing
// it in any way shows only that it is set. Reveal gives the value itself.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// Format keeps the secret out of every verb of package fmt.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.mask())) }

// LogValue keeps the secret out of slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.mask()) }

// MarshalText keeps the secret out of JSON and other encodings.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.mask()), nil }

func (s Secret) mask() string {
	if s == "" {
		return ""
	}
	return "[secret]"
}

// Config holds every setting. docs/settings.md lists the variables.
type Config struct {
	// Addr is where the local host listens, host:port.
	Addr string
	// DatabaseURL is sqlite:PATH or postgres://…; it may hold a password.
	DatabaseURL Secret
	// RedisURL is empty where no Redis is configured: the local host then
	// embeds one; on Lambda what needs Redis fails with a clear error.
	RedisURL Secret
	// HoneybadgerAPIKey is empty where reports are only logged.
	HoneybadgerAPIKey Secret
	// HoneybadgerEndpoint is scheme://host[:port], without a path.
	HoneybadgerEndpoint string
	// Environment names the deployment in reports: development, production, …
	Environment string
	// AuthSecrets sign and check logins. The first signs, all check, so that a
	// key can be rotated: AUTH_SECRET=new,old. Empty where AUTH_SECRET is unset.
	AuthSecrets []Secret
	// LogLevel is the least level that is logged.
	LogLevel slog.Level
	// LogFormat is "json" or "text".
	LogFormat string
	// CatfactsURL is the base URL of the cat facts service.
	CatfactsURL string
	// InternalPassword opens /internal/ to other machines, by Basic auth; empty:
	// loopback only.
	InternalPassword Secret
	// Supervised says that supervisord started this process: it sets SUPERVISOR_ENABLED.
	Supervised bool
	// Lambda is the function's name on Lambda (or behind any Runtime API), and
	// empty on the local host.
	Lambda string
}

// MinAuthSecret is the least length of a signing secret, in bytes: HS256 wants a
// key as long as its hash (RFC 7518, section 3.2).
const MinAuthSecret = 32

// FromEnv reads the settings. The error names every variable that is wrong, one a
// line, and never shows a secret's value.
func FromEnv(lookup Lookup) (Config, error) {
	e := env{lookup: lookup}
	lambda := e.text("AWS_LAMBDA_FUNCTION_NAME", "")
	format := "text"
	if lambda != "" {
		format = "json"
	}
	c := Config{
		Addr:                e.address("ADDR", "127.0.0.1:5000"),
		DatabaseURL:         e.database("DATABASE_URL", "sqlite:tmp/tandem.db"),
		RedisURL:            e.redis("REDIS_URL"),
		HoneybadgerAPIKey:   Secret(e.text("HONEYBADGER_API_KEY", "")),
		HoneybadgerEndpoint: e.origin("HONEYBADGER_ENDPOINT", "https://api.honeybadger.io"),
		Environment:         e.text("ENVIRONMENT", "development"),
		AuthSecrets:         e.secrets("AUTH_SECRET"),
		LogLevel:            e.level("LOG_LEVEL", slog.LevelInfo),
		LogFormat:           e.oneOf("LOG_FORMAT", format, "json", "text"),
		CatfactsURL:         e.httpURL("CATFACTS_URL", "https://catfact.ninja"),
		InternalPassword:    Secret(e.text("INTERNAL_PASSWORD", "")),
		Supervised:          e.text("SUPERVISOR_ENABLED", "") != "",
		Lambda:              lambda,
	}
	return c, errors.Join(e.wrong...)
}

// env reads variables and gathers what is wrong with them. A variable set to the
// empty string counts as unset, as SAM passes unset parameters.
type env struct {
	lookup Lookup
	wrong  []error
}

func (e *env) fail(key, format string, args ...any) {
	e.wrong = append(e.wrong, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
}

func (e *env) text(key, fallback string) string {
	if v, ok := e.lookup(key); ok && v != "" {
		return v
	}
	return fallback
}

func (e *env) address(key, fallback string) string {
	v := e.text(key, fallback)
	_, port, err := net.SplitHostPort(v)
	if err != nil {
		e.fail(key, "%q is not host:port", v)
		return fallback
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		e.fail(key, "%q: the port must be 0 to 65535", v)
	}
	return v
}

func (e *env) database(key, fallback string) Secret {
	v := e.text(key, fallback)
	scheme, rest, _ := strings.Cut(v, ":")
	switch scheme {
	case "sqlite":
		if rest == "" {
			e.fail(key, "sqlite: needs a path, such as sqlite:tmp/tandem.db")
		}
	case "postgres", "postgresql":
		if u, err := url.Parse(v); err != nil || u.Host == "" {
			e.fail(key, "not a URL of the form postgres://user:password@host:5432/database")
		}
	default:
		e.fail(key, "must start with sqlite: or postgres://")
	}
	return Secret(v)
}

// redis checks the scheme only: package redisdb parses the rest, and its errors
// name REDIS_URL too.
func (e *env) redis(key string) Secret {
	v := e.text(key, "")
	if v == "" {
		return ""
	}
	scheme, _, ok := strings.Cut(v, "://")
	switch {
	case ok && (scheme == "redis" || scheme == "rediss" || scheme == "redis-sentinel" || scheme == "rediss-sentinel" ||
		scheme == "redis-cluster" || scheme == "rediss-cluster"):
	default:
		e.fail(key, "must start with redis://, rediss://, redis-sentinel:// or redis-cluster://")
	}
	return Secret(v)
}

func (e *env) httpURL(key, fallback string) string {
	v := e.text(key, fallback)
	u, err := url.Parse(v)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		e.fail(key, "not an http:// or https:// URL") // and not shown: it may hold a password
		return fallback
	case u.RawQuery != "" || u.Fragment != "":
		e.fail(key, "must have no query and no fragment: paths are added to it")
		return fallback
	}
	return strings.TrimSuffix(v, "/")
}

// origin refuses a path, since the Honeybadger client would drop it in silence.
func (e *env) origin(key, fallback string) string {
	v := e.httpURL(key, fallback)
	if u, err := url.Parse(v); err == nil && u.Path != "" {
		e.fail(key, "must have no path: it is scheme://host[:port]")
	}
	return v
}

func (e *env) secrets(key string) []Secret {
	v := e.text(key, "")
	if v == "" {
		return nil
	}
	var all []Secret
	for i, s := range strings.Split(v, ",") {
		s = strings.TrimSpace(s)
		if len(s) < MinAuthSecret {
			e.fail(key, "secret %d has %d bytes, and needs %d at least", i+1, len(s), MinAuthSecret)
		}
		all = append(all, Secret(s))
	}
	return all
}

func (e *env) level(key string, fallback slog.Level) slog.Level {
	v := e.text(key, "")
	if v == "" {
		return fallback
	}
	var l slog.Level
	if err := l.UnmarshalText([]byte(v)); err != nil {
		e.fail(key, "%q is not debug, info, warn or error", v)
		return fallback
	}
	return l
}

func (e *env) oneOf(key, fallback string, allowed ...string) string {
	v := e.text(key, fallback)
	if slices.Contains(allowed, v) {
		return v
	}
	e.fail(key, "%q is not one of %s", v, strings.Join(allowed, ", "))
	return fallback
}
