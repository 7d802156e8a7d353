"""Fixed inputs: every secret and every random string is SHA-512 of a name, so anyone can recompute them."""

import hashlib
from functools import cache

from . import committee as com
from . import evm, hpke, tdh2
from . import ristretto as g
from .encoding import *

CHAIN = 31337
EPOCH, EPOCH_B = 7, 8
DEADLINE = 1_800_000_000


def fixed64(name):
    return hashlib.sha512(b"ccc test vector/" + name.encode()).digest()


def fixed32(name):
    return fixed64(name)[:32]


def fixed20(name):
    return fixed64(name)[:20]


def fixed_scalar(name):
    return g.reduce_wide(fixed64(name))


CONTRACT, REQUESTER = fixed20("contract"), fixed20("requester")
MEASUREMENT = fixed64("measurement")[:48]
TABLE = fixed32("table")
HEADER_HASH, BLOCK_HASH = fixed32("table header hash"), fixed32("block hash")


def members(prefix, identifiers):
    return [
        com.Member(i, fixed32(f"{prefix}/{i}/signing seed"), fixed_scalar(f"{prefix}/{i}/dealing secret"))
        for i in identifiers
    ]


def make_committee(prefix, epoch, t, n):
    coefficients = [fixed_scalar(f"{prefix}/coefficient/{k}") for k in range(t)]
    return com.Committee(epoch, t, coefficients, members(prefix, range(1, n + 1)))


@cache
def committee_a():
    return make_committee("a", EPOCH, 3, 5)


@cache
def committee_b():
    return make_committee("b", EPOCH_B, 11, 16)


def request_ids():
    return [evm.request_id(CHAIN, CONTRACT, REQUESTER, fixed32(f"salt/{k}")) for k in range(4)]


def label_public():
    return label(PUBLIC, CHAIN, CONTRACT, request_ids()[0], 1, REQUESTER, DEADLINE, fixed32("context"))


def label_recipient(k=1):
    return label(RECIPIENT, CHAIN, CONTRACT, request_ids()[k], 1, REQUESTER, DEADLINE, bytes(32))


def label_table():
    return label(TABLE_KEY, CHAIN, CONTRACT, TABLE, 5, bytes(20), 0, fixed32("P1 digest"))


@cache
def ciphertext(name):
    """Named ciphertexts under committee A's master public key."""
    Y = committee_a().Y
    lab, message = {
        "public": (label_public(), b"opened for everyone to read"),
        "recipient": (label_recipient(), b"an order of five bitcoin at most"),
        "recipient-2": (label_recipient(2), b""),
        "recipient-3": (label_recipient(3), bytes(range(256)) * 2),
        "table-key": (label_table(), fixed32("table data key")),
    }[name]
    return dict(message=message, random64=fixed64(f"encrypt/{name}"), **tdh2.encrypt(Y, lab, message, fixed64(f"encrypt/{name}")))


ENCLAVE_IKM = fixed32("enclave X ikm")
ENCLAVE_X_SECRET = hpke.derive_secret(ENCLAVE_IKM)
ENCLAVE_X = hpke.public_key(ENCLAVE_X_SECRET)
ENCLAVE_E_SECRET = fixed_scalar("enclave E secret")


@cache
def enclave_e():
    return ENCLAVE_E_SECRET * g.BASE


@cache
def recipient():
    return com.recipient_digest(ENCLAVE_X, enclave_e(), MEASUREMENT)


def request_fields(mode, names, table=False):
    return dict(
        chain=CHAIN, contract=CONTRACT, id=request_ids()[0], table_header_hash=HEADER_HASH if table else b"",
        block_hash=BLOCK_HASH, deadline=DEADLINE, mode=mode, epoch=EPOCH, committee=committee_a().digest(),
        ct_digests=[ciphertext(n)["ct_digest"] for n in names],
    )


@cache
def request(mode, *names, table=False):
    return com.request_digest(**request_fields(mode, names, table))
