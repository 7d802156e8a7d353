"""Shamir shares, verification keys, roster, committee, session, request, recipient."""

from dataclasses import dataclass
from math import prod

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from . import ristretto as g
from .encoding import *


def evaluate(coefficients, x):
    return sum(a * x**k for k, a in enumerate(coefficients)) % g.L


def lagrange_at_zero(i, identifiers):
    top = bottom = 1
    for j in identifiers:
        if j != i:
            top, bottom = top * j, bottom * (j - i)
    return top * g.invert(bottom % g.L) % g.L


def interpolate_points(points):
    """Sum of lambda_i * D_i over {i: D_i}."""
    total = g.IDENTITY
    for i, point in points.items():
        total = total + lagrange_at_zero(i, points) * point
    return total


def public_polynomial(commitments, x):
    total = g.IDENTITY
    for k, C in enumerate(commitments):
        total = total + x**k * C
    return total


@dataclass
class Member:
    identifier: int
    signing_seed: bytes
    dealing_secret: int
    share: int = 0

    @property
    def signer(self):
        return Ed25519PrivateKey.from_private_bytes(self.signing_seed)

    @property
    def signing_key(self):
        return self.signer.public_key().public_bytes_raw()

    @property
    def dealing_key(self):
        return self.dealing_secret * g.BASE

    @property
    def P(self):
        return self.share * g.BASE


@dataclass
class Committee:
    epoch: int
    t: int
    coefficients: list
    members: list

    def __post_init__(self):
        assert len(self.coefficients) == self.t
        for member in self.members:
            member.share = evaluate(self.coefficients, member.identifier)

    @property
    def n(self):
        return len(self.members)

    @property
    def Y(self):
        return self.coefficients[0] * g.BASE

    @property
    def commitments(self):
        return [a * g.BASE for a in self.coefficients]

    def digest(self):
        rows = [(u16(m.identifier), m.P, m.signing_key, m.dealing_key) for m in self.members]
        return H("committee", S, u64(self.epoch), u16(self.n), u16(self.t), self.Y, rows)

    def roster(self):
        return roster(self.epoch, self.t, self.members)


def mask(committee):
    """Coefficients of the mask under which a table of verification keys is checked, k = 0..n-t; the keys pass."""
    coefficients = [challenge("weight", committee.digest(), u32(k)) for k in range(committee.n - committee.t + 1)]
    xs = [0] + [m.identifier for m in committee.members]
    total = g.IDENTITY
    for x, P in zip(xs, [committee.Y] + [m.P for m in committee.members]):
        denominator = prod(x - other for other in xs if other != x)
        value = sum(c * pow(x, k, g.L) for k, c in enumerate(coefficients))
        total = total + value * pow(denominator, -1, g.L) % g.L * P
    assert total == g.IDENTITY
    return coefficients


def roster(epoch, t, members):
    rows = [(u16(m.identifier), m.signing_key, m.dealing_key) for m in members]
    return H("roster", S, u64(epoch), u16(len(members)), u16(t), rows)


def session(protocol, old_committee, roster_digest, board_nonce):
    assert len(board_nonce) == 32
    return digest32("session", S, u8(protocol), old_committee, roster_digest, board_nonce)


def request_digest(chain, contract, id, table_header_hash, block_hash, deadline, mode, epoch, committee, ct_digests):
    return H(
        "request", u64(chain), contract, id, table_header_hash, block_hash, u64(deadline), u8(mode), u64(epoch),
        committee, u32(len(ct_digests)), ct_digests,
    )


def recipient_digest(X, E, measurement):
    return H("recipient", X, E, measurement)


def user_data(E, X, request):
    return H("user-data", E, X, request)
