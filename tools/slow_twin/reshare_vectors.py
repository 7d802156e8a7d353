"""Vectors of a refresh and of a reshare of committee (3,5): every message of the four rounds, shares, table, certificate."""

from . import committee as com
from . import dealing as dl
from . import fixture as fx
from . import reshare as rs
from . import ristretto as g
from .dealing_vectors import make_dealing, random_coefficients, session_of
from .encoding import *

RECEIVERS = [1, 2, 3, 5, 6, 7, 300]


def renewed(members):
    """The same members with the same signing keys and fresh dealing keys."""
    return [com.Member(m.identifier, m.signing_seed, fx.fixed_scalar(f"renewed/{m.identifier}")) for m in members]


class Handover:
    """Committee A to `members` under threshold t, dealt by `dealers`; who is in `silent` does not confirm."""

    def __init__(self, name, protocol, dealers, t, members, silent=()):
        self.name, self.protocol, self.t, self.members, self.silent = name, protocol, t, members, silent
        self.old, self.epoch = fx.committee_a(), fx.EPOCH + 1
        self.by = {m.identifier: m for m in self.old.members}
        self.roster = com.roster(self.epoch, t, members)
        self.board = session_of(protocol, self.old.digest(), self.roster, f"{name} run")
        self.session = self.board["session"]
        self.dealt = [self.deal(i) for i in dealers]

    def envelope(self, member, payload):
        return dl.envelope(DEALING, self.roster, self.epoch, member, self.session, payload)["wire"]

    def deal(self, i):
        coefficients = [self.by[i].share] + random_coefficients(f"{self.name} run/{i}", self.t)[1:]
        made, parsed = make_dealing(f"{self.name} run", self.protocol, self.session, self.roster, self.epoch, i, coefficients, self.members)
        rs.require_handed_over(parsed, self.by[i].P)
        return made, parsed

    def shown(self, made):
        kept = ("dealer", "coefficients", "u", "pop_random64", "dealing_random64", "wire", "commitment_digest")
        digest = u8(rs.COMMITMENT) + made["commitment_digest"]
        member = self.by[made["dealer"]]
        envelopes = dict(commit_envelope=self.envelope(member, digest), open_envelope=self.envelope(member, made["wire"]))
        return dict({key: made[key] for key in kept}, **envelopes)

    def run(self):
        counted = rs.that_count([parsed for _, parsed in self.dealt], self.old.t)
        shares = [dict(identifier=m.identifier, share=rs.new_share(counted, k, m)) for k, m in enumerate(self.members)]
        Y, keys = rs.table(counted, [m.identifier for m in self.members])
        assert Y == self.old.Y and all(s["share"] * g.BASE == P for s, (_, P) in zip(shares, keys))
        dealings = [made for made, _ in self.dealt[: self.old.t]]
        transcript = dl.transcript(self.protocol, self.session, self.epoch, self.roster, dealings, Y, keys)
        said = [self.envelope(m, u8(rs.CONFIRMATION) + transcript) for m in self.members if m.identifier not in self.silent]
        need = len(self.members) - (len(self.members) - 1) // 3
        certificate = rs.certificate_wire(self.session, transcript, said)
        signing = {m.identifier: m.signing_key for m in self.members}
        assert rs.verify_certificate(certificate, self.session, self.roster, self.epoch, signing, need) == transcript
        return dict(
            protocol=self.protocol, epoch=self.epoch, t=self.t, n=len(self.members), session=self.board, members=secrets(self.members),
            dealings=[self.shown(made) for made, _ in self.dealt], counted=[d["dealer"] for d in counted], lagrange=rs.weights(counted),
            shares=shares, committee=rs.committee_digest(self.epoch, self.t, Y, self.members, keys),
            committee_wire=rs.committee_wire(self.epoch, self.t, Y, self.members, keys), transcript=transcript,
            silent=list(self.silent), confirmations=said, need=need, certificate=certificate,
        )


def secrets(members):
    return [dict(identifier=m.identifier, signing_seed=m.signing_seed, signing_key=m.signing_key, dealing_secret=m.dealing_secret) for m in members]


def reshare():
    old = fx.committee_a()
    holders = [dict(line, share=m.share) for line, m in zip(secrets(old.members), old.members)]
    refresh = Handover("refresh", dl.REFRESH, [1, 2, 3, 4, 5], old.t, renewed(old.members))
    grown = Handover("reshare", dl.RESHARE, [2, 3, 4, 5], 4, fx.members("a4", RECEIVERS), silent=(3, 300))
    return dict(committee=old.digest(), Y=old.Y, holders=holders, refresh=refresh.run(), reshare=grown.run())
