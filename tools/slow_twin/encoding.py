"""LP, H, header, label, padding, HKDF: rows of the table 'Encodings'."""

import hashlib
import hmac

from . import ristretto as g

SUITE = 1
CIPHERTEXT, SHARE, COMPOSITE, SEALED, COMPACT, DEALING, COMPLAINT = range(1, 8)
PUBLIC, RECIPIENT, TABLE_KEY = 1, 2, 3
MODE_PUBLIC, MODE_SEALED, MODE_COMPACT = 1, 2, 3
KIB64 = 65536
MAX_PADDED = 16 * 1024 * 1024
MINIMUM_BUCKET = {PUBLIC: 64, RECIPIENT: 256}


class Refused(ValueError):
    """The specification refuses this input."""


def require(condition, reason):
    if not condition:
        raise Refused(reason)


def u8(x):
    return x.to_bytes(1, "big")


def u16(x):
    return x.to_bytes(2, "big")


def u32(x):
    return x.to_bytes(4, "big")


def u64(x):
    return x.to_bytes(8, "big")


def u96(x):
    return x.to_bytes(12, "big")


S = u16(SUITE)


def lp(data):
    return u32(len(data)) + data


def flatten(fields):
    for field in fields:
        if isinstance(field, (list, tuple)):
            yield from flatten(field)
        elif isinstance(field, g.Point):
            yield field.encode()
        else:
            yield field


def hash_input(label, *fields):
    fields = list(flatten(fields))
    return lp(b"ccc/v1/" + label.encode()) + u32(len(fields)) + b"".join(map(lp, fields))


def H(label, *fields):
    return hashlib.sha512(hash_input(label, *fields)).digest()


def digest32(label, *fields):
    return H(label, *fields)[:32]


def challenge(label, *fields):
    return g.reduce_wide(H(label, *fields))


def digest_bytes(data):
    return digest32("digest", data)


def hkdf(ikm, salt, info, length):
    """HKDF-SHA-512, RFC 5869."""
    prk = hmac.new(salt, ikm, hashlib.sha512).digest()
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([counter]), hashlib.sha512).digest()
        out, counter = out + block, counter + 1
    return out[:length]


def proof_nonce(random64, secret, statement, index=0):
    assert len(random64) == 64
    return challenge("nonce", random64, g.encode_scalar(secret), statement, u8(index))


SECOND = g.from_uniform(H("second generator", S))


def header(kind):
    return b"CC" + u8(1) + u8(kind) + S + u16(0)


def check_header(data, kind):
    require(data == header(kind), "header")


def label(kind, chain, contract, id, version, requester, expiry, context):
    for value, size in ((contract, 20), (id, 32), (requester, 20), (context, 32)):
        assert len(value) == size
    return u8(kind) + u64(chain) + contract + id + u64(version) + requester + u64(expiry) + context


def check_label(data):
    require(len(data) == 129, "label length")
    kind, expiry = data[0], int.from_bytes(data[89:97], "big")
    require(kind in (PUBLIC, RECIPIENT, TABLE_KEY), "label kind")
    require(expiry != 0 or kind == TABLE_KEY, "label expiry")


def bucket(content, kind):
    """Smallest admissible padded size for content bytes, the length field included."""
    size = 64
    while size < content and size < KIB64:
        size *= 2
    if size < content:
        size = -(-content // KIB64) * KIB64
    return max(size, MINIMUM_BUCKET[kind])


def pad(message, kind):
    if kind == TABLE_KEY:
        require(len(message) == 32, "table key length")
        return message
    size = bucket(4 + len(message), kind)
    require(size <= MAX_PADDED, "message too long")
    return (u32(len(message)) + message).ljust(size, b"\0")


def unpad(data, kind):
    if kind == TABLE_KEY:
        require(len(data) == 32, "table key length")
        return data
    require(len(data) >= 64, "padding")
    length = int.from_bytes(data[:4], "big")
    require(4 + length <= len(data), "padding length")
    require(bucket(4 + length, kind) == len(data), "bucket")
    require(not any(data[4 + length :]), "padding zeros")
    return data[4 : 4 + length]


def check_padded_length(length, kind):
    if kind == TABLE_KEY:
        return require(length == 32, "body length")
    require(MINIMUM_BUCKET[kind] <= length <= MAX_PADDED, "body length")
    require(bucket(length, kind) == length, "body length")
