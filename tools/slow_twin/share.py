"""Decryption shares, composite shares and the compact mode (sections 4 and 5)."""

from . import ristretto as g
from .encoding import *


def statement_prefix(mode, committee, epoch, i, P, request, recipient):
    return [S, u8(mode), committee, u64(epoch), u16(i), P, request, recipient]


def dleq_prove(label, statement, x, base, random64):
    """(A, B, ch, z) for (G, xG, base, x*base); statement is every challenge field before A and B."""
    a = proof_nonce(random64, x, statement)
    A, B = a * g.BASE, a * base
    ch = challenge(label, statement, A, B)
    return dict(nonce=a, A=A, B=B, challenge=ch, z=(a + ch * x) % g.L)


def dleq_verify(label, statement, public, base, image, A, B, z):
    ch = challenge(label, statement, A, B)
    return z * g.BASE == A + ch * public and z * base == B + ch * image


def share_statement(prefix, ct_digest, U, Dshare):
    return prefix + [ct_digest, U, Dshare]


def make_share(prefix, x, ct_digest, U, random64):
    Dshare = x * U
    proof = dleq_prove("share", share_statement(prefix, ct_digest, U, Dshare), x, U, random64)
    wire = b"".join(p.encode() for p in (Dshare, proof["A"], proof["B"])) + g.encode_scalar(proof["z"])
    return dict(D=Dshare, **proof, wire=wire)


def verify_share(prefix, P, ct_digest, U, wire):
    require(len(wire) == 128, "length")
    Dshare, A, B = (g.decode(wire[k : k + 32]) for k in (0, 32, 64))
    z = g.decode_scalar(wire[96:])
    require(not Dshare.is_identity() and not P.is_identity(), "zero")
    require(dleq_verify("share", share_statement(prefix, ct_digest, U, Dshare), P, U, Dshare, A, B, z), "proof")
    return Dshare


def composite_seed(prefix, ct_digests, Us, Ds):
    return H("composite", prefix, u32(len(Us)), ct_digests, Us, Ds)


def composite_weight(seed, j):
    return int.from_bytes(H("weight", seed, u32(j))[:16], "little")


def composite_parts(prefix, ct_digests, Us, Ds):
    seed = composite_seed(prefix, ct_digests, Us, Ds)
    weights = [composite_weight(seed, j) for j in range(len(Us))]
    sum_u = sum_d = g.IDENTITY
    for d, U, Dshare in zip(weights, Us, Ds):
        sum_u, sum_d = sum_u + d * U, sum_d + d * Dshare
    return seed, weights, sum_u, sum_d, prefix + [u32(len(Us)), seed, sum_u, sum_d]


def make_composite(prefix, x, ct_digests, Us, random64):
    require(len(Us) >= 2, "m")
    Ds = [x * U for U in Us]
    seed, weights, sum_u, sum_d, statement = composite_parts(prefix, ct_digests, Us, Ds)
    proof = dleq_prove("share", statement, x, sum_u, random64)
    wire = b"".join(p.encode() for p in (*Ds, proof["A"], proof["B"])) + g.encode_scalar(proof["z"])
    return dict(D=Ds, seed=seed, weights=weights, sum_U=sum_u, sum_D=sum_d, **proof, wire=wire)


def verify_composite(prefix, P, ct_digests, Us, wire):
    m = len(Us)
    require(m >= 2 and len(wire) == 32 * m + 96, "length")
    points = [g.decode(wire[k : k + 32]) for k in range(0, 32 * (m + 2), 32)]
    Ds, (A, B), z = points[:m], points[m:], g.decode_scalar(wire[-32:])
    require(not P.is_identity() and not any(p.is_identity() for p in Ds), "zero")
    _, _, sum_u, sum_d, statement = composite_parts(prefix, ct_digests, Us, Ds)
    require(dleq_verify("share", statement, P, sum_u, sum_d, A, B, z), "proof")
    return Ds


def compact_subject(committee, epoch, i, P, request, recipient, ct_digest, U, E):
    return [S, committee, u64(epoch), u16(i), P, request, recipient, ct_digest, U, E]


def make_compact(committee, epoch, i, x, request, recipient, ct_digest, U, E, random64):
    subject = compact_subject(committee, epoch, i, x * g.BASE, request, recipient, ct_digest, U, E)
    rho = proof_nonce(random64, x, subject, 2)
    A, B = x * U + rho * E, rho * g.BASE
    statement = subject + [A, B]
    s1, s2 = proof_nonce(random64, x, statement, 0), proof_nonce(random64, rho, statement, 1)
    TP, TA, TB = s1 * g.BASE, s1 * U + s2 * E, s2 * g.BASE
    ch = challenge("compact", statement, TP, TA, TB)
    z1, z2 = (s1 + ch * x) % g.L, (s2 + ch * rho) % g.L
    wire = b"".join(p.encode() for p in (A, B, TP, TA, TB)) + g.encode_scalar(z1) + g.encode_scalar(z2)
    return dict(rho=rho, A=A, B=B, s1=s1, s2=s2, T_P=TP, T_A=TA, T_B=TB, challenge=ch, z1=z1, z2=z2, wire=wire)


def verify_compact(committee, epoch, i, P, request, recipient, ct_digest, U, E, wire):
    require(len(wire) == 224, "length")
    A, B, TP, TA, TB = (g.decode(wire[k : k + 32]) for k in range(0, 160, 32))
    z1, z2 = g.decode_scalar(wire[160:192]), g.decode_scalar(wire[192:])
    require(not E.is_identity() and not B.is_identity() and not P.is_identity(), "zero")
    subject = compact_subject(committee, epoch, i, P, request, recipient, ct_digest, U, E)
    ch = challenge("compact", subject + [A, B], TP, TA, TB)
    require(z1 * g.BASE == TP + ch * P, "P")
    require(z1 * U + z2 * E == TA + ch * A, "A")
    require(z2 * g.BASE == TB + ch * B, "B")
    return A, B


def verify_compact_payload(committee, epoch, i, P, request, recipient, ct_digests, Us, E, payload):
    """The partials of one participant behind the digest of the recipient that they are for."""
    require(len(payload) == 64 + 224 * len(Us) and len(Us) >= 1, "length")
    require(payload[:64] == recipient, "recipient")
    wires = [payload[k : k + 224] for k in range(64, len(payload), 224)]
    return [verify_compact(committee, epoch, i, P, request, recipient, d, U, E, w) for d, U, w in zip(ct_digests, Us, wires)]


def open_compact(secret, A, B):
    require(not B.is_identity(), "zero")
    return A - secret * B
