"""Refresh and reshare: which dealings count, the new shares and table, confirmations, certificate (docs/spec/keys.md)."""

from . import committee as com
from . import dealing as dl
from . import ristretto as g
from .encoding import *

CERTIFICATE = 33
COMMITMENT, CONFIRMATION = 1, 3


def require_handed_over(parsed, old_key):
    """A dealing whose proofs hold and whose constant term is the dealer's old verification key."""
    dl.verify_dealing(parsed)
    require(parsed["commitments"][0] == old_key, "C_0")


def that_count(parsed, t):
    """The t with the smallest dealers; dealings stand in the order of their dealers."""
    return parsed[:t]


def weights(parsed):
    dealers = [d["dealer"] for d in parsed]
    return [com.lagrange_at_zero(i, dealers) for i in dealers]


def table(parsed, identifiers):
    """Y and (j, P_j) out of the commitments alone: every column is weighted, and the sum read at j."""
    columns = []
    for column in zip(*(d["commitments"] for d in parsed)):
        total = g.IDENTITY
        for weight, C in zip(weights(parsed), column):
            total = total + weight * C
        columns.append(total)
    return columns[0], [(j, com.public_polynomial(columns, j)) for j in identifiers]


def open_share(parsed, position, member):
    dh, pk = member.dealing_secret * parsed["R"], member.dealing_key
    key, _ = dl.share_key(dh, parsed["session"], parsed["epoch"], parsed["dealer"], member.identifier, parsed["R"], pk)
    share = g.decode_scalar(dl.ChaCha20Poly1305(key).decrypt(bytes(12), parsed["ciphertexts"][position], b""))
    require(share * g.BASE == com.public_polynomial(parsed["commitments"], member.identifier), "share")
    return share


def new_share(parsed, position, member):
    return sum(w * open_share(d, position, member) for w, d in zip(weights(parsed), parsed)) % g.L


def committee_digest(epoch, t, Y, members, keys):
    rows = [(u16(m.identifier), P, m.signing_key, m.dealing_key) for m, (_, P) in zip(members, keys)]
    return H("committee", S, u64(epoch), u16(len(members)), u16(t), Y, rows)


def committee_wire(epoch, t, Y, members, keys):
    rows = [u16(m.identifier) + P.encode() + m.signing_key + m.dealing_key.encode() for m, (_, P) in zip(members, keys)]
    return header(17) + u64(epoch) + u16(len(members)) + u16(t) + Y.encode() + b"".join(rows)


def certificate_wire(session, transcript, envelopes):
    return header(CERTIFICATE) + session + transcript + u16(len(envelopes)) + b"".join(map(lp, envelopes))


def verify_certificate(wire, session, roster, epoch, keys, need):
    """The transcript that enough of the receivers signed. keys: {identifier: signing key}."""
    check_header(wire[:8], CERTIFICATE)
    require(wire[8:40] == session, "session")
    transcript, count, at, senders = wire[40:72], int.from_bytes(wire[72:74], "big"), 74, []
    for _ in range(count):
        require(wire[at : at + 4] == u32(219), "confirmation length")
        envelope = wire[at + 4 : at + 223]
        require(len(envelope) == 219, "length")
        sender = int.from_bytes(envelope[80:82], "big")
        require(sender in keys and (not senders or sender > senders[-1]), "sender")
        found = dl.verify_envelope(DEALING, keys[sender], envelope)
        require(found == (roster, epoch, sender, session, u8(CONFIRMATION) + transcript), "confirmation")
        senders.append(sender)
        at += 223
    require(at == len(wire), "length")
    require(len(senders) >= need, "too few confirmations")
    return transcript
