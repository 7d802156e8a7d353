"""Values to JSON: bytes and points as lower-case hex, scalars as 32 little-endian bytes in hex by field name."""

import json

from . import ristretto as g

SCALARS = frozenset(
    "r s e f nonce challenge z rho s1 s2 z1 z2 share secret coefficients mask dealing_secret scalar x lagrange u alpha beta "
    "delta enclave_e_secret parts sigma".split()
)
DECIMAL = frozenset("amount notional answer sum".split())


def render(value, name=""):
    if isinstance(value, dict):
        return {k: render(v, k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [render(v, name) for v in value]
    if isinstance(value, g.Point):
        return value.encode().hex()
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if name in SCALARS:
        return g.encode_scalar(value).hex()
    if name == "weights":
        return value.to_bytes(16, "little").hex()
    if name in DECIMAL:
        return str(value)
    assert isinstance(value, int) and abs(value) < 2**53, (name, value)
    return value


def to_text(value):
    return json.dumps(render(value), indent=1, ensure_ascii=True) + "\n"
