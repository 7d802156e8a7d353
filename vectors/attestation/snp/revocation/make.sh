#!/usr/bin/env bash
# Authorities and a chip's key of our own, and what they take back: run once, in this folder, with OpenSSL 3. The keys are
# not kept, so a second run makes other files.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pss=(-sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:48 -sigopt rsa_mgf1_md:sha384)

openssl genrsa -out "$work/ark.key" 3072
openssl genrsa -out "$work/ask.key" 3072
openssl ecparam -name secp384r1 -genkey -noout -out "$work/vcek.key"
cat > "$work/ca.cnf" <<'CNF'
[ca]
default_ca = one
[one]
database = $ENV::WORK/$ENV::CA.index
crlnumber = $ENV::WORK/$ENV::CA.number
default_md = sha384
default_crl_days = 1
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
[chip]
keyUsage = critical, digitalSignature
CNF
subject() { printf '/CN=%s of a test' "$1"; }
openssl req -new -key "$work/ark.key" -subj "$(subject ARK)" -out "$work/ark.req"
openssl req -new -key "$work/ask.key" -subj "$(subject ASK)" -out "$work/ask.req"
openssl req -new -key "$work/vcek.key" -subj "$(subject VCEK)" -out "$work/vcek.req"
export WORK=$work CA=none
sign() { openssl x509 -req -days 3650 "${pss[@]}" -extfile "$work/ca.cnf" "$@"; }
sign -in "$work/ark.req" -signkey "$work/ark.key" -set_serial 1 -extensions authority -out "$work/ark.pem"
sign -in "$work/ask.req" -CA "$work/ark.pem" -CAkey "$work/ark.key" -set_serial 2 -extensions authority -out "$work/ask.pem"
sign -in "$work/vcek.req" -CA "$work/ask.pem" -CAkey "$work/ask.key" -set_serial 3 -extensions chip -out "$work/vcek.pem"
for name in ark ask vcek; do openssl x509 -in "$work/$name.pem" -outform der -out "$name.der"; done

# name of the list, its issuer, serial that it names or nothing
list() {
  export CA=$1
  : > "$work/$CA.index"
  echo 01 > "$work/$CA.number"
  if [ -n "${3:-}" ]; then
    printf 'R\t330101000000Z\t250101000000Z\t%s\tunknown\t/CN=revoked\n' "$3" > "$work/$CA.index"
  fi
  openssl ca -gencrl -config "$work/ca.cnf" -keyfile "$work/$2.key" -cert "$work/$2.pem" "${pss[@]:1}" \
    -crldays 3650 -out "$work/$CA.pem"
  openssl crl -in "$work/$CA.pem" -outform der -out "$CA.crl"
}
list nothing ark
list nothing-of-ask ask
list ark-revoked ark 01
list ask-revoked ark 02
list vcek-revoked ask 03
