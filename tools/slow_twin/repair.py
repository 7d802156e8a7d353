"""Repair of a lost share: split, sum, complaint (docs/spec/repair.md)."""

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from . import ristretto as g
from .dealing import REPAIR, schnorr, schnorr_verify
from .encoding import *
from .share import dleq_prove, dleq_verify

REQUEST, PACKET, COMPLAINT_OF_REPAIR = 40, 41, 42
SPLIT, SUM = 1, 2


def request_wire(committee, epoch, lost, helpers, nonce):
    return committee + u64(epoch) + u16(lost) + u16(len(helpers)) + b"".join(map(u16, helpers)) + nonce


def session(committee, epoch, lost, helpers, nonce):
    return digest32("session", S, u8(REPAIR), committee, u64(epoch), u16(lost), [u16(i) for i in helpers], nonce)


def lagrange(i, identifiers, at):
    top = bottom = 1
    for j in identifiers:
        if j != i:
            top, bottom = top * (j - at), bottom * (j - i)
    return top * g.invert(bottom % g.L) % g.L


def seen(sess, wires):
    return digest32("repair-seen", sess, wires)


def seed(share, sess, i, stage, before):
    return H("repair-seed", g.encode_scalar(share), sess, u16(i), u8(stage), before)


def parts(weighted, sd, i, helpers):
    drawn = {j: challenge("repair-split", sd, u16(j), u8(0)) for j in helpers if j != i}
    return {j: drawn[j] if j != i else (weighted - sum(drawn.values())) % g.L for j in helpers}


def scalar_key(dh, sess, stage, sender, recipient, R, pk):
    info = b"".join(map(lp, (sess, u8(stage), u16(sender), u16(recipient), R.encode(), pk.encode())))
    return hkdf(dh.encode(), b"ccc/v1/repair", info, 32)


def packet(sess, stage, sender, before, scalars, keys, sd, commitments=None):
    """scalars: {recipient: scalar}; keys: {recipient: dealing key}; other commitments for packets that lie."""
    D = commitments or [x * g.BASE for x in scalars.values()]
    u = challenge("repair-ephemeral", sd, D, u8(0))
    R = u * g.BASE
    sealed = [
        ChaCha20Poly1305(scalar_key(u * keys[j], sess, stage, sender, j, R, keys[j])).encrypt(bytes(12), g.encode_scalar(x), b"")
        for j, x in scalars.items()
    ]
    statement = [sess, u8(stage), u16(sender), before, D, R, sealed]
    proof = schnorr("repair", statement, u, sd)
    wire = (
        u8(stage) + u16(sender) + before + u16(len(D)) + b"".join(d.encode() + c for d, c in zip(D, sealed))
        + R.encode() + proof["T"].encode() + g.encode_scalar(proof["z"])
    )
    return dict(stage=stage, sender=sender, u=u, R=R, commitments=D, sealed=sealed, statement=statement, proof=proof, wire=wire)


def packet_is_good(made, expected_sum):
    total = g.IDENTITY
    for D in made["commitments"]:
        total = total + D
    return total == expected_sum and schnorr_verify("repair", made["statement"], made["R"], made["proof"]["T"], made["proof"]["z"])


def open_with(made, sess, position, recipient, dh, pk):
    key = scalar_key(dh, sess, made["stage"], made["sender"], recipient, made["R"], pk)
    try:
        x = g.decode_scalar(ChaCha20Poly1305(key).decrypt(bytes(12), made["sealed"][position], b""))
    except Exception:
        return None
    return x if x * g.BASE == made["commitments"][position] else None


def complaint_statement(sess, made, accuser, pk, dh):
    return [sess, u8(made["stage"]), u16(made["sender"]), u16(accuser), pk, made["R"], dh]


def complain(sess, made, accuser, secret):
    pk, dh = secret * g.BASE, secret * made["R"]
    proof = dleq_prove("repair-complaint", complaint_statement(sess, made, accuser, pk, dh), secret, made["R"], bytes(64))
    points = b"".join(p.encode() for p in (dh, proof["A"], proof["B"]))
    return dict(DH=dh, wire=u8(made["stage"]) + u16(made["sender"]) + points + g.encode_scalar(proof["z"]), **proof)


def decide(sess, made, position, accuser, pk, filed):
    """The identifier at fault."""
    statement = complaint_statement(sess, made, accuser, pk, filed["DH"])
    if not dleq_verify("repair-complaint", statement, pk, made["R"], filed["DH"], filed["A"], filed["B"], filed["z"]):
        return accuser
    return made["sender"] if open_with(made, sess, position, accuser, filed["DH"], pk) is None else accuser
