package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Secured servers speak TLS alone, with certificates of an authority that nobody else
// knows, and ask for a password. nil means neither.
type Secured struct {
	password string
	ca       string // a file of PEM
	config   *tls.Config
	settings [][2]string // of redis-server
}

// NewSecured makes the authority and the certificate.
func NewSecured(t testing.TB, password string) *Secured {
	t.Helper()
	dir := t.TempDir()
	s := &Secured{password: password, ca: authority(t, dir), config: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool()}}
	text, err := os.ReadFile(s.ca)
	if err != nil || !s.config.RootCAs.AppendCertsFromPEM(text) {
		t.Fatalf("read what was just written: %v", err)
	}
	s.settings = [][2]string{
		{"tls-auth-clients", "no"}, {"tls-replication", "yes"}, {"requirepass", password},
		{"tls-cert-file", filepath.Join(dir, "server.pem")}, {"tls-key-file", filepath.Join(dir, "server.key")}, {"tls-ca-cert-file", s.ca},
	}
	return s
}

// on are the settings of a server on a port.
func (s *Secured) on(port int) [][2]string {
	if s == nil {
		return [][2]string{{"port", itoa(port)}}
	}
	return append([][2]string{{"port", "0"}, {"tls-port", itoa(port)}}, s.settings...)
}

// url is a REDIS_URL. The kind is "", "-sentinel" or "-cluster".
func (s *Secured) url(kind, path string, addrs ...string) string {
	place := strings.Join(addrs, ",") + path
	if s == nil {
		return "redis" + kind + "://" + place
	}
	q := url.Values{"ca_file": {s.ca}}
	if kind == "-sentinel" {
		q.Set("sentinel_password", s.password)
	}
	return "rediss" + kind + "://:" + url.QueryEscape(s.password) + "@" + place + "?" + q.Encode()
}

// authority writes server.pem and server.key for 127.0.0.1, and returns the file of the
// authority that has signed them.
func authority(t testing.TB, dir string) (ca string) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		return key
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		must(os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an authority of the tests"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "redis"},
		NotBefore: root.NotBefore, NotAfter: root.NotAfter, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	rootKey, leafKey := newKey(), newKey()
	der, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	must(err)
	ca = write("ca.pem", "CERTIFICATE", der)
	der, err = x509.CreateCertificate(rand.Reader, leaf, root, leafKey.Public(), rootKey)
	must(err)
	write("server.pem", "CERTIFICATE", der)
	der, err = x509.MarshalPKCS8PrivateKey(leafKey)
	must(err)
	write("server.key", "PRIVATE KEY", der)
	return ca
}
