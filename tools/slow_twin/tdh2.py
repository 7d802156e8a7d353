"""Ciphertexts: TDH2 as a KEM, everything under the proof (sections 3 and 6)."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from . import ristretto as g
from .encoding import *

OVERHEAD = 297
NONCE0 = bytes(12)


def kem(K, head, Y, U, Ubar, lab):
    info = lp(S) + lp(head) + lp(Y.encode()) + lp(U.encode()) + lp(Ubar.encode()) + lp(lab)
    okm = hkdf(K.encode(), b"ccc/v1/kem", info, 64)
    return okm[:32], okm[32:], info


def body_aad(head, lab, U, Ubar, c):
    return digest32("body-aad", head, lab, U, Ubar, c)


def proof_challenge(head, Y, U, Ubar, c, body, lab, W, Wbar):
    return challenge("tdh2", S, head, Y, U, Ubar, c, digest32("body", body), lab, W, Wbar)


def ct_digest(wire):
    return digest32("ct", wire)


def encryption_scalars(random64, Y, lab, message):
    assert len(random64) == 64
    r, s = (challenge("enc", random64, Y, lab, message, u8(i)) for i in (0, 1))
    require(r != 0, "r is zero")
    return r, s


def encrypt(Y, lab, message, random64):
    check_label(lab)
    r, s = encryption_scalars(random64, Y, lab, message)
    return encrypt_with(Y, lab, pad(message, lab[0]), r, s)


def encrypt_with(Y, lab, padded, r, s):
    """Wire and every intermediate value for given (r, s)."""
    head = header(CIPHERTEXT)
    U, Ubar, K = r * g.BASE, r * SECOND, r * Y
    k, c, info = kem(K, head, Y, U, Ubar, lab)
    aad = body_aad(head, lab, U, Ubar, c)
    body = ChaCha20Poly1305(k).encrypt(NONCE0, padded, aad)
    W, Wbar = s * g.BASE, s * SECOND
    e = proof_challenge(head, Y, U, Ubar, c, body, lab, W, Wbar)
    f = (s + e * r) % g.L
    wire = head + lab + U.encode() + Ubar.encode() + c + body + g.encode_scalar(e) + g.encode_scalar(f)
    return dict(
        header=head, label=lab, r=r, s=s, U=U, Ubar=Ubar, K=K, kem_info=info, k=k, c=c, aad=aad, padded=padded,
        body=body, body_digest=digest32("body", body), W=W, Wbar=Wbar, e=e, f=f, wire=wire, ct_digest=ct_digest(wire),
    )


@dataclass
class Ciphertext:
    label: bytes
    U: g.Point
    Ubar: g.Point
    c: bytes
    body: bytes
    digest: bytes


def parse_and_verify(Y, wire):
    """The whole check of the rows 'verify' and 'body length, padding'."""
    require(len(wire) >= OVERHEAD + 16, "length")
    check_header(wire[:8], CIPHERTEXT)
    lab = wire[8:137]
    check_label(lab)
    check_padded_length(len(wire) - OVERHEAD - 16, lab[0])
    U, Ubar, c, body = g.decode(wire[137:169]), g.decode(wire[169:201]), wire[201:233], wire[233:-64]
    e, f = g.decode_scalar(wire[-64:-32]), g.decode_scalar(wire[-32:])
    require(not Y.is_identity(), "Y is zero")
    require(not U.is_identity(), "U is zero")
    W, Wbar = f * g.BASE - e * U, f * SECOND - e * Ubar
    require(e == proof_challenge(wire[:8], Y, U, Ubar, c, body, lab, W, Wbar), "proof")
    return Ciphertext(lab, U, Ubar, c, body, ct_digest(wire))


def open_with(Y, ct, K):
    head = header(CIPHERTEXT)
    k, c, _ = kem(K, head, Y, ct.U, ct.Ubar, ct.label)
    require(c == ct.c, "key commitment")
    padded = ChaCha20Poly1305(k).decrypt(NONCE0, ct.body, body_aad(head, ct.label, ct.U, ct.Ubar, ct.c))
    return unpad(padded, ct.label[0])


def wrap(wire):
    """A ciphertext without its label (216 bytes for a table key)."""
    return wire[:8] + wire[137:]


def unwrap(wrapped, lab):
    return wrapped[:8] + lab + wrapped[8:]
