package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"os"
	"path/filepath"
	"time"
)

// A time-stamp authority's certificate must have this as its only use, and mark it critical (RFC 3161, section 2.3).
var timeStamping = pkix.Extension{
	Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true,
	Value: []byte{0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08},
}

// makeSigstore makes what the servers of a private Sigstore sign with: fulcio.{pem,key} (chain, leaf first), tsa.{pem,key},
// ct.{key,pub} and rekor.{key,pub}.
func makeSigstore(dir string) {
	fulcio := newAuthority(dir, "fulcio-root", "Fulcio root")
	fulcio.issue("fulcio", newKey(), x509.Certificate{
		Subject:               pkix.Name{CommonName: "Fulcio intermediate"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}, validity)
	chain(dir, "fulcio")
	stamps := newAuthority(dir, "tsa-root", "time stamp root")
	stamps.issue("tsa", newKey(), x509.Certificate{
		Subject:         pkix.Name{CommonName: "time stamps"},
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{timeStamping},
	}, validity)
	chain(dir, "tsa")

	files := authority{dir: dir}
	ct := newKey()
	files.writeKey("ct", ct)
	public, err := x509.MarshalPKIXPublicKey(ct.Public())
	check(err)
	files.write("ct.pub", "PUBLIC KEY", public)
	logPublic, logKey, err := ed25519.GenerateKey(rand.Reader)
	check(err)
	private, err := x509.MarshalPKCS8PrivateKey(logKey)
	check(err)
	files.write("rekor.key", "PRIVATE KEY", private)
	public, err = x509.MarshalPKIXPublicKey(logPublic)
	check(err)
	files.write("rekor.pub", "PUBLIC KEY", public)
}

func newAuthority(dir, name, subject string) authority {
	root := authority{dir: dir, key: newKey()}
	root.certificate = root.issue(name, root.key, x509.Certificate{
		Subject:               pkix.Name{CommonName: subject},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}, validity+time.Hour)
	return root
}

// chain writes NAME.pem: the certificate, then that of its authority.
func chain(dir, name string) {
	var text []byte
	for _, file := range []string{name + ".crt", name + "-root.crt"} {
		certificate, err := os.ReadFile(filepath.Join(dir, file))
		check(err)
		text = append(text, certificate...)
	}
	check(os.WriteFile(filepath.Join(dir, name+".pem"), text, 0o600))
}
