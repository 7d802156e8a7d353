"""Vectors of a repair: of participant 2's share in committee (3,5), by 1, 4 and 5."""

from . import dealing as dl
from . import fixture as fx
from . import repair as rp
from . import ristretto as g
from .encoding import *

LOST, HELPERS = 2, [1, 4, 5]


class Run:
    def __init__(self):
        self.c = fx.committee_a()
        self.by = {m.identifier: m for m in self.c.members}
        self.nonce = fx.fixed32("repair nonce")
        self.fields = (self.c.digest(), self.c.epoch, LOST, HELPERS, self.nonce)
        self.session = rp.session(*self.fields)
        self.keys = {j: m.dealing_key for j, m in self.by.items()}
        self.before = rp.seen(self.session, [])

    def weighted(self, i):
        return rp.lagrange(i, HELPERS, LOST) * self.by[i].share % g.L

    def envelope(self, i, kind, payload):
        return dl.envelope(kind, self.c.digest(), self.c.epoch, self.by[i], self.session, payload)["wire"]

    def split(self, i):
        sd = rp.seed(self.by[i].share, self.session, i, rp.SPLIT, self.before)
        parts = rp.parts(self.weighted(i), sd, i, HELPERS)
        made = rp.packet(self.session, rp.SPLIT, i, self.before, parts, self.keys, sd)
        assert sum(parts.values()) % g.L == self.weighted(i) and rp.packet_is_good(made, self.weighted(i) * g.BASE)
        return dict(seed=sd, parts=parts, **made)

    def sum(self, j, splits, seen):
        opened = [rp.open_with(s, self.session, HELPERS.index(j), j, self.by[j].dealing_secret * s["R"], self.keys[j]) for s in splits]
        sigma = sum(opened) % g.L
        sd = rp.seed(self.by[j].share, self.session, j, rp.SUM, seen)
        made = rp.packet(self.session, rp.SUM, j, seen, {LOST: sigma}, self.keys, sd)
        total = g.IDENTITY
        for s in splits:
            total = total + s["commitments"][HELPERS.index(j)]
        assert rp.packet_is_good(made, total)
        return dict(seed=sd, sigma=sigma, **made)


def shown(run, made, **more):
    return dict(
        identifier=made["sender"], seed=made["seed"], u=made["u"], R=made["R"], commitments=made["commitments"],
        payload=made["wire"], envelope=run.envelope(made["sender"], rp.PACKET, made["wire"]), **more,
    )


def complaint_cases(run, split):
    """Helper 5 complains about helper 4: about a part that is not the committed one, and about one that is."""
    wrong = rp.packet(
        run.session, rp.SPLIT, 4, run.before, {j: (x + (j == 5)) % g.L for j, x in split["parts"].items()}, run.keys,
        fx.fixed64("repair/wrong seed"), split["commitments"],
    )
    assert rp.packet_is_good(wrong, run.weighted(4) * g.BASE)
    cases = []
    for name, made, expected in (("wrong part", wrong, 4), ("right part", split, 5)):
        filed = rp.complain(run.session, made, 5, run.by[5].dealing_secret)
        fault = rp.decide(run.session, made, HELPERS.index(5), 5, run.keys[5], filed)
        assert fault == expected
        cases.append(dict(
            name=name, accused=run.envelope(4, rp.PACKET, made["wire"]), DH=filed["DH"], payload=filed["wire"],
            envelope=run.envelope(5, rp.COMPLAINT_OF_REPAIR, filed["wire"]), fault=fault,
        ))
    return cases


def repair():
    run = Run()
    splits = [run.split(i) for i in HELPERS]
    seen = rp.seen(run.session, [s["wire"] for s in splits])
    sums = [run.sum(j, splits, seen) for j in HELPERS]
    assert sum(s["sigma"] for s in sums) % g.L == run.by[LOST].share
    request = rp.request_wire(*run.fields)
    members = [
        dict(identifier=m.identifier, signing_seed=m.signing_seed, dealing_secret=m.dealing_secret, share=m.share) for m in run.c.members
    ]
    return dict(
        lost=LOST, helpers=HELPERS, nonce=run.nonce, committee=run.c.digest(), session=run.session, request=request,
        request_envelope=run.envelope(LOST, rp.REQUEST, request), members=members, seen_before=run.before, seen=seen,
        lagrange=[rp.lagrange(i, HELPERS, LOST) for i in HELPERS],
        splits=[shown(run, s, parts=list(s["parts"].values())) for s in splits],
        sums=[shown(run, s, sigma=s["sigma"]) for s in sums], complaints=complaint_cases(run, splits[1]),
    )
