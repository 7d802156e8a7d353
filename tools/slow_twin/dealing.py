"""One dealing, its proofs, complaints, transcript (section 7) and the envelope."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from . import ristretto as g
from .committee import evaluate, public_polynomial
from .encoding import *
from .share import dleq_prove, dleq_verify

PROTOCOL_DEALER, DKG, REFRESH, RESHARE, REPAIR = range(1, 6)


def pop_statement(protocol, session, epoch, roster, dealer, commitments):
    return [u8(protocol), session, u64(epoch), roster, u16(dealer), commitments]


def share_key(dh, session, epoch, dealer, j, R, pk):
    info = b"".join(map(lp, (session, u64(epoch), u16(dealer), u16(j), R.encode(), pk.encode())))
    return hkdf(dh.encode(), b"ccc/v1/deal", info, 32), info


def schnorr(label, statement, secret, random64):
    v = proof_nonce(random64, secret, statement)
    T = v * g.BASE
    ch = challenge(label, statement, T)
    return dict(nonce=v, T=T, challenge=ch, z=(v + ch * secret) % g.L)


def schnorr_verify(label, statement, public, T, z):
    return z * g.BASE == T + challenge(label, statement, T) * public


def deal(protocol, session, epoch, roster, dealer, coefficients, members, u, pop_random64, random64, wrong=()):
    """wrong: identifiers that get a share off by one (for complaints)."""
    assert (dealer == 0) == (protocol == PROTOCOL_DEALER)
    commitments = [a * g.BASE for a in coefficients]
    statement = pop_statement(protocol, session, epoch, roster, dealer, commitments)
    pop = schnorr("pop", statement, coefficients[0], pop_random64)
    R = u * g.BASE
    recipients = []
    for member in members:
        j, pk = member.identifier, member.dealing_key
        share = evaluate(coefficients, j) + (1 if j in wrong else 0)
        dh = u * pk
        key, info = share_key(dh, session, epoch, dealer, j, R, pk)
        sealed = ChaCha20Poly1305(key).encrypt(bytes(12), g.encode_scalar(share), b"")
        recipients.append(dict(identifier=j, share=share, DH=dh, info=info, key=key, ciphertext=sealed))
    ciphertexts = [r["ciphertext"] for r in recipients]
    proof = schnorr("dealing", statement + [R, ciphertexts], u, random64)
    wire = (
        header(DEALING) + u8(protocol) + session + u64(epoch) + roster + u16(dealer) + u16(len(commitments))
        + b"".join(C.encode() for C in commitments) + pop["T"].encode() + g.encode_scalar(pop["z"]) + R.encode()
        + u16(len(ciphertexts)) + b"".join(ciphertexts) + proof["T"].encode() + g.encode_scalar(proof["z"])
    )
    return dict(
        dealer=dealer, commitments=commitments, pop=pop, R=R, recipients=recipients, proof=proof, wire=wire,
        commitment_digest=digest32("dealing-commitment", wire),
    )


def parse_dealing(wire, members_count, t):
    size = 8 + 1 + 32 + 8 + 64 + 2 + 2 + 32 * t + 64 + 32 + 2 + 48 * members_count + 64
    require(len(wire) == size, "length")
    check_header(wire[:8], DEALING)
    out = dict(protocol=wire[8], session=wire[9:41], epoch=int.from_bytes(wire[41:49], "big"), roster=wire[49:113])
    out["dealer"], seen_t = (int.from_bytes(wire[k : k + 2], "big") for k in (113, 115))
    require(seen_t == t, "t")
    at = 117 + 32 * t
    out["commitments"] = [g.decode(wire[k : k + 32]) for k in range(117, at, 32)]
    out["pop"] = g.decode(wire[at : at + 32]), g.decode_scalar(wire[at + 32 : at + 64])
    out["R"] = g.decode(wire[at + 64 : at + 96])
    at += 96
    require(int.from_bytes(wire[at : at + 2], "big") == members_count, "n")
    end = at + 2 + 48 * members_count
    out["ciphertexts"] = [wire[k : k + 48] for k in range(at + 2, end, 48)]
    out["proof"] = g.decode(wire[end : end + 32]), g.decode_scalar(wire[end + 32 :])
    return out


def verify_dealing(d):
    statement = pop_statement(d["protocol"], d["session"], d["epoch"], d["roster"], d["dealer"], d["commitments"])
    require(not d["commitments"][-1].is_identity(), "degree")
    require(not d["commitments"][0].is_identity(), "C_0")
    require(schnorr_verify("pop", statement, d["commitments"][0], *d["pop"]), "pop")
    require(schnorr_verify("dealing", statement + [d["R"], d["ciphertexts"]], d["R"], *d["proof"]), "dealing proof")


def share_is_good(d, j, sealed, dh, pk):
    """Opens the recipient's ciphertext under the Diffie-Hellman point and checks it against the commitments."""
    key, _ = share_key(dh, d["session"], d["epoch"], d["dealer"], j, d["R"], pk)
    try:
        share = g.decode_scalar(ChaCha20Poly1305(key).decrypt(bytes(12), sealed, b""))
    except Exception:
        return False
    return share * g.BASE == public_polynomial(d["commitments"], j)


def complaint_statement(session, epoch, dealer, j, pk, R, dh):
    return [session, u64(epoch), u16(dealer), u16(j), pk, R, dh]


def complain(session, epoch, dealer, member, R, random64):
    sk, pk = member.dealing_secret, member.dealing_key
    dh = sk * R
    proof = dleq_prove("complaint", complaint_statement(session, epoch, dealer, member.identifier, pk, R, dh), sk, R, random64)
    wire = b"".join(p.encode() for p in (dh, proof["A"], proof["B"])) + g.encode_scalar(proof["z"])
    return dict(DH=dh, **proof, wire=wire)


def decide(d, j, sealed, pk, wire):
    """'dealer' or 'accuser': whose fault a complaint shows."""
    try:
        dh, A, B = (g.decode(wire[k : k + 32]) for k in (0, 32, 64))
        z = g.decode_scalar(wire[96:])
    except g.DecodeError:
        return "accuser"
    statement = complaint_statement(d["session"], d["epoch"], d["dealer"], j, pk, d["R"], dh)
    if not dleq_verify("complaint", statement, pk, d["R"], dh, A, B, z):
        return "accuser"
    return "accuser" if share_is_good(d, j, sealed, dh, pk) else "dealer"


def transcript(protocol, session, epoch, roster, dealings, Y, keys):
    return digest32(
        "transcript", S, u8(protocol), session, u64(epoch), roster, u16(len(dealings)),
        [(u16(d["dealer"]), d["commitment_digest"]) for d in dealings], Y, [(u16(j), P) for j, P in keys],
    )


def envelope(kind, committee, epoch, member, topic, payload):
    head = header(kind)
    digest = H("envelope", head, committee, u64(epoch), u16(member.identifier), topic, payload)
    signature = member.signer.sign(digest)
    wire = head + committee + u64(epoch) + u16(member.identifier) + lp(topic) + lp(payload) + signature
    return dict(header=head, digest=digest, signature=signature, wire=wire)


def verify_envelope(kind, public_key, wire):
    """(committee, epoch, identifier, topic, payload) of an envelope whose signature holds."""
    require(len(wire) >= 154, "length")
    check_header(wire[:8], kind)
    topic_length = int.from_bytes(wire[82:86], "big")
    at = 86 + topic_length
    require(len(wire) >= at + 4 + 64, "length")
    payload_length = int.from_bytes(wire[at : at + 4], "big")
    require(len(wire) == at + 4 + payload_length + 64, "length")
    topic, payload = wire[86:at], wire[at + 4 : -64]
    committee, epoch, i = wire[8:72], wire[72:80], wire[80:82]
    digest = H("envelope", wire[:8], committee, epoch, i, topic, payload)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(wire[-64:], digest)
    except InvalidSignature:
        raise Refused("signature") from None
    return committee, int.from_bytes(epoch, "big"), int.from_bytes(i, "big"), topic, payload
