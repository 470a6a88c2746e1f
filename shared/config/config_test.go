package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/tandem-api/tandem/shared/config"
)

const (
	long  = "0123456789abcdef0123456789abcdef"
	long2 = "fedcba9876543210fedcba9876543210"
)

func lookup(env map[string]string) config.Lookup {
	return func(key string) (string, bool) {
		v, ok := env[key]
		return v, ok
	}
}

func defaults() config.Config {
	return config.Config{
		Addr: "127.0.0.1:5000", DatabaseURL: "sqlite:tmp/tandem.db", HoneybadgerEndpoint: "https://api.honeybadger.io",
		Environment: "development", LogLevel: slog.LevelInfo, LogFormat: "text", CatfactsURL: "https://catfact.ninja",
	}
}

func TestDefaults(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"nothing is set": {},
		"all is empty": {"ADDR": "", "DATABASE_URL": "", "REDIS_URL": "", "HONEYBADGER_API_KEY": "", "HONEYBADGER_ENDPOINT": "", "ENVIRONMENT": "",
			"AUTH_SECRET": "", "LOG_LEVEL": "", "LOG_FORMAT": "", "CATFACTS_URL": "", "INTERNAL_PASSWORD": "", "SUPERVISOR_ENABLED": "", "AWS_LAMBDA_FUNCTION_NAME": ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.FromEnv(lookup(env))
			if err != nil || !reflect.DeepEqual(got, defaults()) {
				t.Errorf("%+v, %v\nwant %+v", got, err, defaults())
			}
		})
	}
}

func TestEverySettingIsRead(t *testing.T) {
	got, err := config.FromEnv(lookup(map[string]string{
		"ADDR": "[::1]:80", "DATABASE_URL": "postgres://u:p@h/db", "REDIS_URL": "rediss://h:6380/1", "HONEYBADGER_API_KEY": "k",
		"HONEYBADGER_ENDPOINT": "https://eu-api.honeybadger.io/", "ENVIRONMENT": "production", "AUTH_SECRET": long + ", " + long2,
		"LOG_LEVEL": "debug", "LOG_FORMAT": "text", "CATFACTS_URL": "http://127.0.0.1:8080/facts/", "INTERNAL_PASSWORD": "p",
		"SUPERVISOR_ENABLED": "1", "AWS_LAMBDA_FUNCTION_NAME": "foo",
	}))
	want := config.Config{
		Addr: "[::1]:80", DatabaseURL: "postgres://u:p@h/db", RedisURL: "rediss://h:6380/1", HoneybadgerAPIKey: "k",
		HoneybadgerEndpoint: "https://eu-api.honeybadger.io", Environment: "production", AuthSecrets: []config.Secret{long, long2},
		LogLevel: slog.LevelDebug, LogFormat: "text", CatfactsURL: "http://127.0.0.1:8080/facts", InternalPassword: "p",
		Supervised: true, Lambda: "foo",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, %v", got, err)
	}
	// What is added to Config without a value here is not read anywhere.
	for i, v := 0, reflect.ValueOf(got); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("%s has no value", v.Type().Field(i).Name)
		}
	}
}

func TestLambdaLogsJSON(t *testing.T) {
	got, err := config.FromEnv(lookup(map[string]string{"AWS_LAMBDA_FUNCTION_NAME": "foo"}))
	if err != nil || got.LogFormat != "json" {
		t.Errorf("%s, %v; want json", got.LogFormat, err)
	}
}

func TestValuesThatPass(t *testing.T) {
	for key, values := range map[string][]string{
		"ADDR":         {":0", "0.0.0.0:65535", "localhost:5000", "[::]:1"},
		"DATABASE_URL": {"sqlite::memory:", "sqlite:/var/x.db?mode=ro", "postgresql://h", "postgres://u:p%40w@h:5432/db?sslmode=require"},
		"REDIS_URL":    {"redis://", "redis://:p@h:1/2", "redis-sentinel://h?master=m", "rediss-sentinel://h", "redis-cluster://a,b", "rediss-cluster://a"},
		"LOG_LEVEL":    {"DEBUG", "warn", "Error", "info+2"},
		"LOG_FORMAT":   {"json", "text"},
		"AUTH_SECRET":  {long, long + "," + long2 + "," + long, "ääääääääääääääää"},
		"CATFACTS_URL": {"http://h", "https://h:8443/a/b"},
	} {
		for _, v := range values {
			if _, err := config.FromEnv(lookup(map[string]string{key: v})); err != nil {
				t.Errorf("%s=%s: %v", key, v, err)
			}
		}
	}
}

func TestValuesThatAreWrong(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"ADDR", "5000", `ADDR: "5000" is not host:port`},
		{"ADDR", "::1:80", `ADDR: "::1:80" is not host:port`},
		{"ADDR", "h:http", "ADDR: \"h:http\": the port must be 0 to 65535"},
		{"ADDR", "h:65536", "the port must be 0 to 65535"},
		{"ADDR", "h:-1", "the port must be 0 to 65535"},
		{"ADDR", "h:", "the port must be 0 to 65535"},
		{"DATABASE_URL", "mysql://u:hunter2@h", "DATABASE_URL: must start with sqlite: or postgres://"},
		{"DATABASE_URL", "hunter2", "must start with sqlite: or postgres://"},
		{"DATABASE_URL", "sqlite:", "sqlite: needs a path"},
		{"DATABASE_URL", "postgres:hunter2", "not a URL of the form"},
		{"DATABASE_URL", "postgres://u:hunter2%zz@h", "not a URL of the form"},
		{"DATABASE_URL", "postgres://u:hunter2 @h", "not a URL of the form"},
		{"REDIS_URL", "http://:hunter2@h", "REDIS_URL: must start with redis://"},
		{"REDIS_URL", "localhost:6379", "must start with redis://"},
		{"REDIS_URL", "redis:hunter2", "must start with redis://"},
		{"HONEYBADGER_ENDPOINT", "https://hunter2@h/v1", "HONEYBADGER_ENDPOINT: must have no path"},
		{"HONEYBADGER_ENDPOINT", "https://h?hunter2", "must have no query"},
		{"HONEYBADGER_ENDPOINT", "api.honeybadger.io", "not an http:// or https:// URL"},
		{"CATFACTS_URL", "ftp://u:hunter2@h", "CATFACTS_URL: not an http:// or https:// URL"},
		{"CATFACTS_URL", "https://", "not an http:// or https:// URL"},
		{"CATFACTS_URL", "https://u:hunter2@h:x", "not an http:// or https:// URL"},
		{"CATFACTS_URL", "https://h/#a", "no fragment"},
		{"LOG_LEVEL", "loud", `LOG_LEVEL: "loud" is not debug, info, warn or error`},
		{"LOG_FORMAT", "xml", `LOG_FORMAT: "xml" is not one of json, text`},
		{"AUTH_SECRET", "hunter2", "AUTH_SECRET: secret 1 has 7 bytes, and needs 32 at least"},
		{"AUTH_SECRET", long + ",hunter2", "secret 2 has 7 bytes"},
		{"AUTH_SECRET", long + ",", "secret 2 has 0 bytes"},
		{"AUTH_SECRET", " ", "secret 1 has 0 bytes"},
	} {
		t.Run(c.key+"="+c.value, func(t *testing.T) {
			_, err := config.FromEnv(lookup(map[string]string{c.key: c.value}))
			if err == nil || !strings.HasPrefix(err.Error(), c.key+": ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v; want one line: %s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

func TestAllThatIsWrongIsNamedAtOnce(t *testing.T) {
	c, err := config.FromEnv(lookup(map[string]string{
		"ADDR": "x", "DATABASE_URL": "x", "REDIS_URL": "x", "HONEYBADGER_ENDPOINT": "x", "AUTH_SECRET": "x",
		"LOG_LEVEL": "x", "LOG_FORMAT": "x", "CATFACTS_URL": "x",
	}))
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{"ADDR", "DATABASE_URL", "REDIS_URL", "HONEYBADGER_ENDPOINT", "AUTH_SECRET", "LOG_LEVEL", "LOG_FORMAT", "CATFACTS_URL"}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines; want %d:\n%v", len(lines), len(want), err)
	}
	for i, key := range want {
		if !strings.HasPrefix(lines[i], key+": ") {
			t.Errorf("line %d is %q; want %s", i+1, lines[i], key)
		}
	}
	// Enough of the settings stand to log and report the error.
	if c.HoneybadgerEndpoint != defaults().HoneybadgerEndpoint || c.LogFormat != "text" || c.LogLevel != slog.LevelInfo {
		t.Errorf("%+v", c)
	}
}

func TestSecretShowsOnlyThatItIsSet(t *testing.T) {
	type holder struct{ S config.Secret }
	set := config.Secret("hunter2")
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", set), "%s": fmt.Sprintf("%s", set), "%q": fmt.Sprintf("%q", set), "%x": fmt.Sprintf("%x", set), "%d": fmt.Sprintf("%d", set),
		"%#v": fmt.Sprintf("%#v", set), "%+v of a struct": fmt.Sprintf("%+v", holder{set}), "%#v of a struct": fmt.Sprintf("%#v", holder{set}),
		"of a pointer": fmt.Sprintf("%+v", &holder{set}), "of a slice": fmt.Sprint([]config.Secret{set}), "of a map": fmt.Sprint(map[config.Secret]config.Secret{set: set}),
		"an error": fmt.Errorf("oh: %v", set).Error(), "joined": errors.Join(fmt.Errorf("%s", set)).Error(), "slog": set.LogValue().String(),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") || !strings.Contains(text, "[secret]") {
			t.Errorf("%s: %s", name, text)
		}
	}
	if text, err := json.Marshal([]any{set, holder{set}, &set}); err != nil || strings.Contains(string(text), "hunter2") {
		t.Errorf("JSON: %s, %v", text, err)
	}
	if got := fmt.Sprint(config.Secret("")); got != "" {
		t.Errorf("an unset secret shows %q", got)
	}
	if set.Reveal() != "hunter2" {
		t.Error("Reveal does not")
	}
}
