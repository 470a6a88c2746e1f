package redisdb

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestURL(t *testing.T) {
	tests := []struct {
		url string
		// addresses, user, password, database, master, cluster, TLS
		want string
	}{
		{"redis://localhost", "[localhost:6379]   0  false false"},
		{"redis://localhost:6390/2", "[localhost:6390]   2  false false"},
		{"redis://:secret@10.0.0.1/", "[10.0.0.1:6379]  secret 0  false false"},
		{"redis://ann:p%40ss%2Fw@h:1/0", "[h:1] ann p@ss/w 0  false false"},
		{"redis://[::1]:6390", "[[::1]:6390]   0  false false"},
		{"redis://[::1]", "[[::1]:6379]   0  false false"},
		{"rediss://h", "[h:6379]   0  false true"},
		{"redis-sentinel://a,b:1/main", "[a:26379 b:1]   0 main false false"},
		{"redis-sentinel://:pw@a/main/3", "[a:26379]  pw 3 main false false"},
		{"rediss-sentinel://a/main", "[a:26379]   0 main false true"},
		{"redis-cluster://a:1,b:2", "[a:1 b:2]   0  true false"},
		{"rediss-cluster://u:p@a", "[a:6379] u p 0  true true"},
	}
	for _, tt := range tests {
		t.Run(tt.url, func(t *testing.T) {
			o, err := parse(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(o.Addrs, " ", o.Username, " ", o.Password, " ", o.DB, " ", o.MasterName, " ", o.IsClusterMode, " ", o.TLSConfig != nil)
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if o.TLSConfig != nil && o.TLSConfig.MinVersion != tls.VersionTLS12 {
				t.Error("TLS older than 1.2 is allowed")
			}
		})
	}
}

func TestSentinelHasALoginOfItsOwn(t *testing.T) {
	o, err := parse("redis-sentinel://u:p@a/main?sentinel_user=su&sentinel_password=sp")
	if err != nil {
		t.Fatal(err)
	}
	if got := []string{o.Username, o.Password, o.SentinelUsername, o.SentinelPassword}; !slices.Equal(got, []string{"u", "p", "su", "sp"}) {
		t.Errorf("got %q", got)
	}
}

func TestWrongURL(t *testing.T) {
	tests := []struct{ name, url, says string }{
		{"another scheme", "http://h", "starts with none of"},
		{"another kind", "redis-ring://h", "starts with none of"},
		{"no host", "redis://", "a host is missing"},
		{"no host after a password", "redis://:hunter2@", "a host is missing"},
		{"an empty host in a list", "redis-cluster://a,,b", "a host is missing"},
		{"a port in words", "redis://:hunter2@h:port", "host:port"},
		{"a port too high", "redis://:hunter2@h:70000", "host:port"},
		{"a bare slash in the password", "redis://:hun/ter2@h/0", "REDIS_URL"},
		{"a bare percent in the password", "redis://:hunter2%@h/0", "percent-encoded"},
		{"a database in words", "redis://:hunter2@h/main", "whole number"},
		{"two databases", "redis://:hunter2@h/1/2", "whole number"},
		{"two hosts", "redis://:hunter2@a,b", "more than one host"},
		{"no master", "redis-sentinel://:hunter2@a", "name of the master"},
		{"a cluster's database", "redis-cluster://:hunter2@a/1", "no databases"},
		{"an unknown parameter", "redis://:hunter2@h?db=3", `"db"`},
		{"a sentinel's parameter", "redis://:hunter2@h?sentinel_user=x", `"sentinel_user"`},
		{"authorities without TLS", "redis://:hunter2@h?ca_file=x", `"ca_file"`},
		{"no file of authorities", "rediss://:hunter2@h?ca_file=/nowhere", "ca_file"},
		{"a file without authorities", "rediss://:hunter2@h?ca_file=/dev/null", "no certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parse(tt.url)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("got %v, want an error with %q", err, tt.says)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "ter2") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}
