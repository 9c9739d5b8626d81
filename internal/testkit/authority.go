package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1" // {SSHA} is what directories hold
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority is a certificate authority of one test, with one server certificate
// for localhost and the loopback addresses.
type Authority struct {
	certificate       *x509.Certificate
	caPEM             []byte
	serverPEM, keyPEM []byte
}

// NewAuthority makes an authority that nobody else has.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	caKey, caDER := signed(t, &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Parvis tests"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}, nil, nil)
	ca, err := x509.ParseCertificate(caDER)
	if err != nil {
		t.Fatalf("read the test authority: %v", err)
	}
	key, der := signed(t, &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "localhost"},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, caKey)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatalf("write the test key: %v", err)
	}
	return &Authority{
		certificate: ca,
		caPEM:       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}),
		serverPEM:   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		keyPEM:      pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	}
}

// signed makes a key and a certificate for it, signed by the parent or, with
// none, by itself.
func signed(t testing.TB, template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("make a test key: %v", err)
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(24 * time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatalf("sign a test certificate: %v", err)
	}
	return key, der
}

// Pool trusts this authority and no other.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// Certificate is that of a server, for servers inside the test.
func (a *Authority) Certificate(t testing.TB) tls.Certificate {
	t.Helper()
	certificate, err := tls.X509KeyPair(a.serverPEM, a.keyPEM)
	if err != nil {
		t.Fatalf("read the test certificate: %v", err)
	}
	return certificate
}

// Write puts ca.pem, server.pem and server.key into the folder.
func (a *Authority) Write(t testing.TB, dir string) {
	t.Helper()
	files := map[string][]byte{"ca.pem": a.caPEM, "server.pem": a.serverPEM, "server.key": a.keyPEM}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatalf("write the test certificate: %v", err)
		}
	}
}

// randomWord returns a password that nobody else has.
func randomWord(t testing.TB) string {
	t.Helper()
	return rand.Text()
}

// hashSSHA hashes a password the way OpenLDAP does by default.
func hashSSHA(t testing.TB, password string) string {
	t.Helper()
	salt := make([]byte, 8)
	if _, err := rand.Read(salt); err != nil {
		t.Fatalf("make a salt: %v", err)
	}
	sum := sha1.Sum(append([]byte(password), salt...))
	return "{SSHA}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...))
}
