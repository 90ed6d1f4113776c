#!/bin/sh
# Makes the keys and certificates of these tests. Private halves are thrown away: nothing is ever signed with them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
make() { name=$1; shift; openssl genpkey -out "$name.private" "$@" 2>/dev/null; openssl pkey -in "$name.private" -pubout -out "$here/$name.pem"; }
make p256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
make p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
make p521 -algorithm EC -pkeyopt ec_paramgen_curve:P-521
make secp256k1 -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1
make explicit -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit
make rsa2048 -algorithm RSA -pkeyopt rsa_keygen_bits:2048
make rsa1024 -algorithm RSA -pkeyopt rsa_keygen_bits:1024
make pss -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
make ed25519 -algorithm ED25519
make ed448 -algorithm ED448
make x25519 -algorithm X25519
openssl rsa -in rsa2048.private -RSAPublicKey_out -out "$here/rsa2048-pkcs1.pem" 2>/dev/null
openssl ec -in p256.private -pubout -conv_form compressed -out "$here/compressed.pem" 2>/dev/null
root() { openssl req -x509 -new -key "$1.private" -subj "/O=Example/CN=$2" -days 36500 -addext "$3" -addext "keyUsage=critical,$4" -out "$here/$2.pem"; }
root p256 ca-root basicConstraints=critical,CA:TRUE keyCertSign
root p521 ca-p521 basicConstraints=critical,CA:TRUE keyCertSign
root p384 ca-no-signing basicConstraints=critical,CA:TRUE digitalSignature
root p384 leaf basicConstraints=critical,CA:FALSE digitalSignature
openssl req -new -key p384.private -subj "/O=Example/CN=ca-intermediate" -out request
printf 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n' > extensions
openssl x509 -req -in request -CA "$here/ca-root.pem" -CAkey p256.private -days 36500 -extfile extensions -out "$here/ca-intermediate.pem" 2>/dev/null
