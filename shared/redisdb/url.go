package redisdb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/tandem-api/tandem/shared/config"
)

// Check returns what is wrong with a REDIS_URL, without connecting.
func Check(redisURL config.Secret) error {
	_, err := parse(redisURL.Reveal())
	return err
}

// parse reads a REDIS_URL:
//
//	redis://[[user]:password@]host[:6379][/database]
//	redis-sentinel://[[user]:password@]host[:26379],…/master[/database]
//	redis-cluster://[[user]:password@]host[:6379],…
//
// rediss://, rediss-sentinel:// and rediss-cluster:// are the same over TLS. User and
// password are those of Redis itself. Parameters: ca_file, a PEM file with the
// authorities to trust instead of the system's; sentinel_user and sentinel_password.
//
// No error shows any part of the URL that may be the password.
func parse(text string) (*redis.UniversalOptions, error) {
	scheme, hosts, u, err := split(text)
	if err != nil {
		return nil, err
	}
	o := bounded()
	o.Username = u.User.Username()
	o.Password, _ = u.User.Password()
	base, kind, _ := strings.Cut(scheme, "-")
	if base != "redis" && base != "rediss" {
		kind = "none" // which place refuses
	}
	if err := errors.Join(place(o, kind, hosts, u.Path), parameters(o, kind, base == "rediss", u.Query())); err != nil {
		return nil, err
	}
	o.Dialer = dialer(o.TLSConfig)
	return o, nil
}

func wrong(format string, args ...any) error {
	return fmt.Errorf("REDIS_URL: "+format, args...)
}

// split takes the list of hosts out, since package url knows one host only.
func split(text string) (scheme string, hosts []string, u *url.URL, err error) {
	scheme, rest, _ := strings.Cut(text, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	user, list := "", rest[:end]
	if at := strings.LastIndex(list, "@"); at >= 0 {
		user, list = list[:at+1], list[at+1:]
	}
	u, err = url.Parse("redis://" + user + "host" + rest[end:])
	if err != nil {
		return "", nil, nil, wrong("it is not a URL; is each special character of the password percent-encoded?")
	}
	return scheme, strings.Split(list, ","), u, nil
}

// place says where Redis is: hosts, master and database.
func place(o *redis.UniversalOptions, kind string, hosts []string, path string) error {
	port := "6379"
	if kind == "sentinel" {
		port = "26379"
	}
	for _, host := range hosts {
		if host == "" {
			return wrong("a host is missing")
		}
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), port)
		}
		if _, p, err := net.SplitHostPort(host); err != nil || !isPort(p) {
			return wrong("a host is not host or host:port")
		}
		o.Addrs = append(o.Addrs, host)
	}
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	switch kind {
	case "":
		if len(hosts) > 1 {
			return wrong("it has more than one host: redis-sentinel:// and redis-cluster:// may have")
		}
	case "sentinel":
		if len(parts) == 0 {
			return wrong("the name of the master is missing: redis-sentinel://host:26379/NAME")
		}
		o.MasterName, parts = parts[0], parts[1:]
	case "cluster":
		o.IsClusterMode = true
		if len(parts) > 0 {
			return wrong("a cluster has no databases, so there is no path")
		}
	default:
		return wrong("it starts with none of redis, redis-sentinel and redis-cluster")
	}
	return database(o, parts)
}

func database(o *redis.UniversalOptions, parts []string) (err error) {
	switch len(parts) {
	case 0:
		return nil
	case 1:
		if o.DB, err = strconv.Atoi(parts[0]); err == nil && o.DB >= 0 {
			return nil
		}
	}
	return wrong("the database is not a whole number")
}

func isPort(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n > 0 && n < 1<<16
}

func parameters(o *redis.UniversalOptions, kind string, secure bool, q url.Values) error {
	if secure {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	for name := range q {
		switch value := q.Get(name); {
		case name == "ca_file" && secure:
			pem, err := os.ReadFile(value)
			if err != nil {
				return wrong("ca_file: %w", err)
			}
			o.TLSConfig.RootCAs = x509.NewCertPool()
			if !o.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
				return wrong("ca_file: %s has no certificate", value)
			}
		case name == "sentinel_user" && kind == "sentinel":
			o.SentinelUsername = value
		case name == "sentinel_password" && kind == "sentinel":
			o.SentinelPassword = value
		default:
			return wrong("the parameter %q is not known, or does not fit this kind of URL", name)
		}
	}
	return nil
}

// bounded returns options under which no request waits for a Redis that hangs.
func bounded() *redis.UniversalOptions {
	return &redis.UniversalOptions{
		DialTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second, PoolTimeout: time.Second,
		ContextTimeoutEnabled: true,
		MaxRetries:            -1,
		DialerRetries:         1,
		// Neither is of use here, and each costs a round trip a connection.
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// dialer connects within the context's time, TLS included (go-redis's own goes on
// with a handshake after the context has ended).
func dialer(secure *tls.Config) func(context.Context, string, string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: time.Second, KeepAlive: 30 * time.Second}
	if secure == nil {
		return plain.DialContext
	}
	return (&tls.Dialer{NetDialer: plain, Config: secure}).DialContext
}
