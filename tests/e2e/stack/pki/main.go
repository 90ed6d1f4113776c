// Command pki makes the keys and certificates of one test run: a CA, a server certificate for the loopback address,
// client certificates (valid or expired) and the key that signs service-account tokens.
//
//	pki DIR [client:NAME[:GROUP] | expired:NAME[:GROUP]]...
//	pki -sigstore DIR
//
// It writes DIR/ca.{crt,key}, DIR/server.{crt,key}, DIR/service-account.{key,pub} and DIR/NAME.{crt,key}; private keys
// as PKCS#8, the public key as SubjectPublicKeyInfo. With -sigstore: what a private Sigstore signs with (sigstore.go).
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const validity = 24 * time.Hour

// authority signs what this run needs and is forgotten with its directory.
type authority struct {
	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("pki: ")
	if len(os.Args) < 2 {
		log.Fatal("usage: pki DIR [client:NAME[:GROUP] | expired:NAME[:GROUP]]...")
	}
	if os.Args[1] == "-sigstore" && len(os.Args) == 3 {
		check(os.MkdirAll(os.Args[2], 0o700))
		makeSigstore(os.Args[2])
		return
	}
	dir := os.Args[1]
	check(os.MkdirAll(dir, 0o700))

	ca := authority{dir: dir, key: newKey()}
	ca.certificate = ca.issue("ca", ca.key, x509.Certificate{
		Subject:               pkix.Name{CommonName: "Seaworthy end-to-end tests"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, validity)
	ca.issue("server", newKey(), x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost"},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, validity)
	for _, wish := range os.Args[2:] {
		ca.issueClient(wish)
	}
	ca.writeTokenKey()
}

// writeTokenKey makes the pair for service-account tokens: kube-apiserver does not verify with a PKCS#8 private key.
func (ca authority) writeTokenKey() {
	key := newKey()
	ca.writeKey("service-account", key)
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	check(err)
	ca.write("service-account.pub", "PUBLIC KEY", der)
}

// issueClient makes the certificate that one argument asks for; Kubernetes reads the user from CN, the group from O.
func (ca authority) issueClient(wish string) {
	part := strings.SplitN(wish, ":", 3)
	if len(part) < 2 || part[1] == "" || strings.ContainsAny(part[1], `/\`) {
		log.Fatalf("%q is neither client:NAME[:GROUP] nor expired:NAME[:GROUP]", wish)
	}
	subject := pkix.Name{CommonName: part[1]}
	if len(part) == 3 {
		subject.Organization = []string{part[2]}
	}
	until := validity
	switch part[0] {
	case "client":
	case "expired":
		until = -time.Hour
	default:
		log.Fatalf("%q is neither client:NAME[:GROUP] nor expired:NAME[:GROUP]", wish)
	}
	ca.issue(part[1], newKey(), x509.Certificate{
		Subject:     subject,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, until)
}

// issue signs a template and writes certificate and key under a name; an authority without a certificate signs itself.
func (ca authority) issue(name string, key *ecdsa.PrivateKey, template x509.Certificate, until time.Duration) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	check(err)
	now := time.Now()
	template.SerialNumber = serial
	// An expired certificate must have been valid once, and clocks of one machine may still differ by a second.
	template.NotBefore = now.Add(-2 * time.Hour)
	template.NotAfter = now.Add(until)
	parent := ca.certificate
	if parent == nil {
		parent = &template
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent, key.Public(), ca.key)
	check(err)
	certificate, err := x509.ParseCertificate(der)
	check(err)
	ca.write(name+".crt", "CERTIFICATE", der)
	ca.writeKey(name, key)
	return certificate
}

func (ca authority) writeKey(name string, key *ecdsa.PrivateKey) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	check(err)
	ca.write(name+".key", "PRIVATE KEY", der)
}

func (ca authority) write(name, kind string, der []byte) {
	check(os.WriteFile(filepath.Join(ca.dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	return key
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
