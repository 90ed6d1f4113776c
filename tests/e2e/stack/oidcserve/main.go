// Command oidcserve is an issuer of identity tokens as OpenID Connect Discovery 1.0 describes it, for a Fulcio of tests:
// its configuration, its key, and a token with whatever claims somebody asks for.
//
//	POST /token {"sub":"…","email":"…",…}    the token alone, no line break at its end
//
// `iss`, `iat`, `nbf` and `exp` are its own; `aud` is `sigstore` unless the claims say otherwise.
package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"io"
	"log"
	"math/big"
	"net/http"
	"time"
)

type issuer struct {
	name string
	key  *rsa.PrivateKey
}

func main() {
	addr := flag.String("addr", "", "listen address")
	name := flag.String("issuer", "", "the issuer's URL (http:// and the address, when none is given)")
	certificate := flag.String("tls-cert", "", "PEM file of the server's certificate; without it, plain HTTP")
	key := flag.String("tls-key", "", "PEM file of its key")
	flag.Parse()

	signer, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	i := issuer{name: *name, key: signer}
	if i.name == "" {
		i.name = "http://" + *addr
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.configuration)
	mux.HandleFunc("GET /jwks", i.keys)
	mux.HandleFunc("POST /token", i.token)
	log.Printf("%s listens on %s", i.name, *addr)
	if *certificate == "" {
		log.Fatal(http.ListenAndServe(*addr, mux))
	}
	log.Fatal(http.ListenAndServeTLS(*addr, *certificate, *key, mux))
}

func (i issuer) configuration(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{
		"issuer": i.name, "jwks_uri": i.name + "/jwks",
		"authorization_endpoint": i.name + "/auth", "token_endpoint": i.name + "/token",
		"response_types_supported": []string{"id_token"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

func (i issuer) keys(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1",
		"n": encode(i.key.N.Bytes()), "e": encode(big.NewInt(int64(i.key.E)).Bytes()),
	}}})
}

func (i issuer) token(w http.ResponseWriter, r *http.Request) {
	claims := map[string]any{"aud": "sigstore"}
	if err := json.NewDecoder(r.Body).Decode(&claims); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	now := time.Now()
	claims["iss"], claims["iat"], claims["nbf"] = i.name, now.Unix(), now.Unix()
	claims["exp"] = now.Add(10 * time.Minute).Unix()
	token, err := i.sign(claims)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	io.WriteString(w, token)
}

// sign makes a JWT (RFC 7519) with RS256.
func (i issuer) sign(claims map[string]any) (string, error) {
	header, err := json.Marshal(map[string]any{"typ": "JWT", "alg": "RS256", "kid": "1"})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := encode(header) + "." + encode(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	return text + "." + encode(signature), err
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}

func encode(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }
