package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tandem-api/tandem/shared/apptest/loopback"
)

// StartTLS runs a redis-server that speaks TLS alone, with a certificate of an authority
// that nobody else knows, and asks for the password. It returns its REDIS_URL.
func StartTLS(t testing.TB, password string) (s *Server, redisURL string) {
	t.Helper()
	dir := t.TempDir()
	ca := authority(t, dir)
	port := loopback.Port(t)
	s = newServer(t, port)
	s.args = append(s.args, "--port", "0", "--tls-port", itoa(port), "--tls-auth-clients", "no",
		"--tls-cert-file", filepath.Join(dir, "server.pem"), "--tls-key-file", filepath.Join(dir, "server.key"),
		"--tls-ca-cert-file", ca, "--requirepass", password)
	s.Restart()
	t.Cleanup(s.Kill)
	return s, "rediss://:" + url.QueryEscape(password) + "@" + s.Addr + "?ca_file=" + url.QueryEscape(ca)
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
