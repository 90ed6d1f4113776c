// Command tokenserve answers the distribution token protocol (the Bearer challenge) for one registry, with tokens that
// docker-registry accepts: https://distribution.github.io/distribution/spec/auth/token/
//
// Anybody may pull below the -public prefix. A -user NAME:PASSWORD:ACTIONS:PREFIX may do ACTIONS (pull,push,delete)
// below PREFIX. As at Docker Hub, what is not granted is left out of the token (the registry then says 401), and only a
// wrong password is refused here. Each answer is one line of standard error: who, what was asked, what was granted.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// access is one entry of a token's `access` claim and, as a rule, what a user may do below a prefix.
type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

type user struct {
	password, prefix string
	actions          []string
}

type server struct {
	issuer, public string
	ttl            time.Duration
	users          map[string]user
	key            *ecdsa.PrivateKey
	certificate    []byte
}

func main() {
	s := server{users: map[string]user{}}
	addr := flag.String("addr", "", "listen address")
	bundle := flag.String("bundle", "", "file to write the certificate to (the registry's rootcertbundle)")
	flag.StringVar(&s.issuer, "issuer", "tokenserve", "issuer, as in the registry's configuration")
	flag.StringVar(&s.public, "public", "public/", "repositories that begin so may be pulled by anybody")
	flag.DurationVar(&s.ttl, "ttl", time.Minute, "lifetime of a token")
	flag.Func("user", "NAME:PASSWORD:ACTIONS:PREFIX, repeatable", s.addUser)
	flag.Parse()

	if err := s.makeKey(*bundle); err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on ", listener.Addr())
	log.Fatal(http.Serve(listener, &s))
}

func (s *server) addUser(text string) error {
	part := strings.SplitN(text, ":", 4)
	if len(part) != 4 {
		return fmt.Errorf("want NAME:PASSWORD:ACTIONS:PREFIX")
	}
	s.users[part[0]] = user{password: part[1], actions: strings.Split(part[2], ","), prefix: part[3]}
	return nil
}

// makeKey makes the signing key and writes its certificate before the server listens, so that a registry started
// after this one always finds it.
func (s *server) makeKey(bundle string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: s.issuer},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	s.key = key
	if s.certificate, err = x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key); err != nil {
		return err
	}
	return os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.certificate}), 0o600)
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, password, identified := r.BasicAuth()
	who := user{prefix: s.public, actions: []string{"pull"}}
	if identified {
		known, exists := s.users[name]
		if !exists || known.password != password {
			log.Printf("user=%q refused", name)
			w.Header().Set("WWW-Authenticate", `Basic realm="tokenserve"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"incorrect username or password"}]}`, http.StatusUnauthorized)
			return
		}
		who = known
	}
	query := r.URL.Query()
	granted := []access{}
	for _, wish := range strings.Fields(strings.Join(query["scope"], " ")) {
		if entry, ok := s.grant(who, wish); ok {
			granted = append(granted, entry)
		}
	}
	token, err := s.sign(name, query.Get("service"), granted)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	log.Printf("user=%q scope=%q granted=%v", name, query["scope"], granted)
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{
		"token": token, "access_token": token, "expires_in": int(s.ttl.Seconds()), "issued_at": time.Now().UTC().Format(time.RFC3339),
	})
}

// grant answers one scope `repository:NAME:ACTIONS` with what is allowed of it.
func (s *server) grant(who user, scope string) (access, bool) {
	kind, rest, _ := strings.Cut(scope, ":")
	colon := strings.LastIndex(rest, ":")
	if kind != "repository" || colon < 0 {
		return access{}, false
	}
	entry := access{Type: kind, Name: rest[:colon], Actions: []string{}}
	for _, action := range strings.Split(rest[colon+1:], ",") {
		own := strings.HasPrefix(entry.Name, who.prefix) && slices.Contains(who.actions, action)
		if own || (action == "pull" && strings.HasPrefix(entry.Name, s.public)) {
			entry.Actions = append(entry.Actions, action)
		}
	}
	return entry, len(entry.Actions) > 0
}

// sign makes the JWT (RFC 7519, ES256) with its certificate in the header, which is how docker-registry finds the key.
func (s *server) sign(subject, audience string, granted []access) (string, error) {
	now := time.Now()
	header, err := json.Marshal(map[string]any{
		"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(s.certificate)},
	})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{
		"iss": s.issuer, "sub": subject, "aud": audience, "jti": rand.Text(), "access": granted,
		"iat": now.Unix(), "nbf": now.Add(-10 * time.Second).Unix(), "exp": now.Add(s.ttl).Unix(),
	})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	text := encode(header) + "." + encode(claims)
	sum := sha256.Sum256([]byte(text))
	r, sig, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		return "", err
	}
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	sig.FillBytes(raw[32:])
	return text + "." + encode(raw), nil
}
