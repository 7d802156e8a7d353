"""RFC 9180 base mode, DHKEM(X25519, HKDF-SHA256) / HKDF-SHA256 / ChaCha20-Poly1305, and the sealed share."""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from .encoding import lp, u16, u32, u64

KEM_ID, KDF_ID, AEAD_ID = 0x0020, 0x0001, 0x0003
KEM_SUITE = b"KEM" + u16(KEM_ID)
HPKE_SUITE = b"HPKE" + u16(KEM_ID) + u16(KDF_ID) + u16(AEAD_ID)


def extract(salt, ikm):
    return hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()


def expand(prk, info, length):
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha256).digest()
        out, counter = out + block, counter + 1
    return out[:length]


def labeled_extract(suite, salt, label, ikm):
    return extract(salt, b"HPKE-v1" + suite + label + ikm)


def labeled_expand(suite, prk, label, info, length):
    return expand(prk, u16(length) + b"HPKE-v1" + suite + label + info, length)


def derive_secret(ikm):
    """DeriveKeyPair of section 7.1.3 for X25519."""
    prk = labeled_extract(KEM_SUITE, b"", b"dkp_prk", ikm)
    return labeled_expand(KEM_SUITE, prk, b"sk", b"", 32)


def public_key(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def exchange(secret, public):
    return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))


def shared_secret(dh, enc, recipient):
    prk = labeled_extract(KEM_SUITE, b"", b"eae_prk", dh)
    return labeled_expand(KEM_SUITE, prk, b"shared_secret", enc + recipient, 32)


def key_schedule(shared, info):
    psk_id_hash = labeled_extract(HPKE_SUITE, b"", b"psk_id_hash", b"")
    info_hash = labeled_extract(HPKE_SUITE, b"", b"info_hash", info)
    context = b"\0" + psk_id_hash + info_hash
    secret = labeled_extract(HPKE_SUITE, shared, b"secret", b"")
    key = labeled_expand(HPKE_SUITE, secret, b"key", context, 32)
    return key, labeled_expand(HPKE_SUITE, secret, b"base_nonce", context, 12)


def seal(recipient, ephemeral_secret, info, aad, plaintext):
    enc = public_key(ephemeral_secret)
    shared = shared_secret(exchange(ephemeral_secret, recipient), enc, recipient)
    key, nonce = key_schedule(shared, info)
    ciphertext = ChaCha20Poly1305(key).encrypt(nonce, plaintext, aad)
    return dict(enc=enc, shared_secret=shared, key=key, base_nonce=nonce, ciphertext=ciphertext, wire=enc + ciphertext)


def open_wire(secret, info, aad, wire):
    enc = wire[:32]
    key, nonce = key_schedule(shared_secret(exchange(secret, enc), enc, public_key(secret)), info)
    return ChaCha20Poly1305(key).decrypt(nonce, wire[32:], aad)


def sealed_info(request):
    assert len(request) == 64
    return b"ccc/v1/sealed" + request


def sealed_aad(ct_digests, i, epoch, committee, measurement, deadline):
    items = [u32(len(ct_digests)), *ct_digests, u16(i), u64(epoch), committee, measurement, u64(deadline)]
    return b"".join(map(lp, items))
