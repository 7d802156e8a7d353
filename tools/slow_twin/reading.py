"""Committee, request, recipient and envelopes from their bytes, which the twin elsewhere only writes or hashes."""

from dataclasses import dataclass

from . import committee as com
from . import dealing as dl
from . import ristretto as g
from .encoding import *

COMMITTEE, PARTICIPANT_KEYS, REQUEST, RECIPIENT, ATTEMPT_KEYS = 17, 19, 20, 23, 24


class Reader:
    def __init__(self, data, kind):
        self.data, self.at = data, 8
        check_header(data[:8], kind)

    def bytes(self, size):
        self.at += size
        require(self.at <= len(self.data), "truncated")
        return self.data[self.at - size : self.at]

    def number(self, size):
        return int.from_bytes(self.bytes(size), "big")

    def point(self):
        return g.decode(self.bytes(32))

    def finish(self):
        require(self.at == len(self.data), "trailing")


@dataclass
class Line:
    """What a committee says of one member."""

    identifier: int
    P: g.Point
    signing_key: bytes
    dealing_key: g.Point


@dataclass
class Committee:
    epoch: int
    t: int
    Y: g.Point
    members: list

    @property
    def n(self):
        return len(self.members)

    @property
    def by_identifier(self):
        return {m.identifier: m for m in self.members}

    def digest(self):
        rows = [(u16(m.identifier), m.P, m.signing_key, m.dealing_key) for m in self.members]
        return H("committee", S, u64(self.epoch), u16(self.n), u16(self.t), self.Y, rows)

    def roster(self):
        return com.roster(self.epoch, self.t, self.members)


def committee(wire):
    """The committee, whose keys lie on one polynomial of degree t - 1."""
    r = Reader(wire, COMMITTEE)
    epoch, n, t, Y = r.number(8), r.number(2), r.number(2), r.point()
    require(1 <= t <= n and len(wire) == 52 + 98 * n, "length")
    found = Committee(epoch, t, Y, [Line(r.number(2), r.point(), r.bytes(32), r.point()) for _ in range(n)])
    r.finish()
    ascending = [m.identifier for m in found.members]
    require(ascending == sorted(set(ascending)) and ascending[0] > 0, "identifiers")
    for k in range(n - t + 1):
        window = {m.identifier: m.P for m in found.members[k : k + t]}
        require(com.interpolate_points(window) == Y, "verification keys")
    return found


@dataclass
class Request:
    fields: dict

    def __getattr__(self, name):
        return self.fields[name]

    def digest(self):
        return com.request_digest(**self.fields)


def request(wire):
    r = Reader(wire, REQUEST)
    fields = dict(chain=r.number(8), contract=r.bytes(20), id=r.bytes(32))
    flag = r.number(1)
    require(flag in (0, 1), "table flag")
    fields["table_header_hash"] = r.bytes(32 * flag)
    fields.update(block_hash=r.bytes(32), deadline=r.number(8), mode=r.number(1), epoch=r.number(8), committee=r.bytes(64))
    require(fields["mode"] in (MODE_PUBLIC, MODE_SEALED, MODE_COMPACT), "mode")
    m = r.number(4)
    require(1 <= m <= KIB64 and len(wire) == r.at + 32 * m, "count")
    fields["ct_digests"] = [r.bytes(32) for _ in range(m)]
    return Request(fields)


def recipient(wire):
    """(X, E, measurement, evidence)"""
    r = Reader(wire, RECIPIENT)
    X, E, measurement = r.bytes(32), r.point(), r.bytes(32)
    evidence = r.bytes(r.number(4))
    r.finish()
    require(not E.is_identity(), "E is zero")
    return X, E, measurement, evidence


def attempt_keys(wire):
    """(x, e): the secrets of X and E."""
    r = Reader(wire, ATTEMPT_KEYS)
    x, e, _seed = r.bytes(32), g.decode_scalar(r.bytes(32)), r.bytes(32)
    r.finish()
    return x, e


def participant_keys(wire, identifier):
    r = Reader(wire, PARTICIPANT_KEYS)
    found = com.Member(identifier, r.bytes(32), g.decode_scalar(r.bytes(32)))
    r.finish()
    return found


def envelope(wire, kind, members, digest, epoch, topic):
    """(identifier, payload) of what a member signed for this topic."""
    require(len(wire) >= 154, "length")
    sender = members.get(int.from_bytes(wire[80:82], "big"))
    require(sender is not None, "sender")
    found = dl.verify_envelope(kind, sender.signing_key, wire)
    require(found[:4] == (digest, epoch, sender.identifier, topic), "context")
    return sender.identifier, found[4]
