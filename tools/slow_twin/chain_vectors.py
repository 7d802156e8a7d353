"""Vectors of reports, prices and clearing."""

from . import clearing as cl
from . import evm
from . import fixture as fx
from . import price as pr
from . import report as rp
from . import table as tb
from .encoding import *

SEQUENCE, VALID_UNTIL, BLOCK_TIME = 41, 1_800_000_600, 1_800_000_000
ATTESTATION = fx.fixed32("attestation digest")
KIND_FIELDS = {
    1: dict(status=1, block=21_000_000, block_time=BLOCK_TIME, header_hash=fx.HEADER_HASH, envelope_digest=fx.fixed32("agent envelope digest")),
    2: dict(
        request_id=fx.fixed32("request id of a round"), success=True, version=2, previous=fx.fixed32("previous header hash"), header_hash=fx.HEADER_HASH,
        count=3, accumulator=fx.fixed32("accumulator"), price_block=20_999_990, source=fx.fixed20("price feed"), price_digest=fx.fixed32("price digest"),
    ),
    3: dict(measurement=fx.fixed32("measurement digest"), box_key=fx.ENCLAVE_X, signer=fx.fixed20("enclave signer"), expiry=VALID_UNTIL + 3600),
    4: dict(withdrawal_id=fx.fixed32("withdrawal id"), to=fx.fixed20("payee"), token=fx.fixed20("token"), amount=123_456_789 * 10**10, version=2),
}


def report():
    signers = [fx.fixed20(f"signer/{k}") for k in range(4)]
    config = dict(chain=fx.CHAIN, forwarder=fx.fixed20("forwarder"), don_id=9, config_version=1, f=1, signers=signers)
    digest = rp.config_digest(**config)
    workflow_id = b"\0" + fx.fixed32("workflow id")[1:]
    cases = [one_report(kind, KIND_FIELDS[kind], config, digest, workflow_id) for kind in range(1, 5)]
    idle = {**KIND_FIELDS[2], "request_id": bytes(32), "success": False}
    cases.append(one_report(2, idle, config, digest, workflow_id))
    config["fault_tolerance"] = config.pop("f")
    return dict(config=config, config_digest=digest, reports=cases, accumulator=accumulator())


def one_report(kind, fields, config, digest, workflow_id):
    common = dict(chain=fx.CHAIN, receiver=fx.fixed20(f"receiver/{kind}"), kind=kind, epoch=fx.EPOCH, sequence=SEQUENCE, valid_until=VALID_UNTIL, attestation=ATTESTATION)
    body = rp.payload(common.values(), fields.values())
    assert len(body) == 32 * (7 + len(fields))
    execution, owner = evm.keccak256(body), fx.fixed20("workflow owner")
    head = rp.header(execution, BLOCK_TIME, config["don_id"], config["config_version"], workflow_id, kind, owner)
    raw, ctx = head + body, rp.context(digest, SEQUENCE)
    transmission = evm.keccak256(common["receiver"] + execution + u16(kind))
    return dict(
        **common, fields=fields, payload=body, execution_id=execution, timestamp=BLOCK_TIME, don_id=config["don_id"], config_version=config["config_version"],
        workflow_id=workflow_id, workflow_name=rp.workflow_name(kind), workflow_owner=owner, header=head, raw_report=raw, metadata=raw[45:109], context=ctx,
        digest=rp.report_digest(raw, ctx), transmission_id=transmission,
    )


def accumulator():
    acc, out = bytes(32), []
    for index, (kind, amount, ciphertext) in enumerate(((1, 5 * 10**18, b"sealed account one"), (2, 0, b"sealed withdrawal"), (1, 1, b""))):
        who, token = fx.fixed20(f"who/{index}"), fx.fixed20("token") if kind == 1 else bytes(20)
        acc = rp.accumulate(acc, kind, index, who, token, amount, ciphertext)
        out.append(dict(kind=kind, index=index, who=who, token=token, amount=amount, ciphertext=ciphertext, ciphertext_hash=evm.keccak256(ciphertext), accumulator=acc))
    return out


def price():
    t, window = 1_800_000_000, 3600
    rounds = [(2**64 + 5, 6_712_345_678_901, t - 4000), (2**64 + 6, 6_720_000_000_000, t - 2400), (2**64 + 7, 6_698_765_432_109, t - 1000), (2**64 + 8, 6_701_111_111_111, t - 10)]
    micro = [(at, pr.micro_dollars(answer, 8)) for _, answer, at in rounds]
    accepted = []
    for name, observations in (("four rounds", micro), ("first exactly at t-W", [(t - window, 7), (t - 1, 11)]), ("one price holds", [(t - window, 67_000_000_000)]), ("last exactly at t", [(t - window, 5), (t, 900)])):
        total, average = pr.twap(observations, t, window, window, window)
        accepted.append(dict(name=name, t=t, window=window, max_gap=window, max_stale=window, observations=[list(o) for o in observations], sum=total, twap=average))
    refused = []
    for name, observations, gap, stale in (
        ("starts inside the window", micro[1:], window, window), ("gap", micro, 1399, window), ("stale", micro, window, 9), ("equal times", [micro[0], micro[0]], window, window),
        ("time goes back", [micro[1], micro[0]], window, window), ("no observation", [], window, window),
    ):
        try:
            pr.twap(observations, t, window, gap, stale)
        except Refused as error:
            refused.append(dict(name=name, t=t, window=window, max_gap=gap, max_stale=stale, observations=[list(o) for o in observations], reason=str(error)))
    assert len(refused) == 6
    accepted.append(gap_before_window(t, window))
    average = accepted[0]["twap"]
    return dict(
        decimals=8, rounds=[dict(round=str(r), answer=a, updated_at=at, micro_dollars=m) for (r, a, at), (_, m) in zip(rounds, micro)], price_digest=pr.digest(rounds),
        price_digest_none=pr.digest([]), price_digest_negative=dict(round="1", answer=-1, updated_at=2, price_digest=pr.digest([(1, -1, 2)])),
        micro_dollars=[dict(answer=a, decimals=d, micro_dollars=pr.micro_dollars(a, d)) for a, d in ((6_712_345_678_901, 8), (1, 8), (199, 8), (67_123, 0), (67_123_456_789_012_345_678_901, 18))],
        twap=accepted, twap_refused=refused, collar=collars(average), notional=notionals(average),
    )


def gap_before_window(t, window):
    """A long gap that ends before the window does not count."""
    observations = [(t - 90_000, 1), (t - window, 1000), (t - 1800, 2001)]
    total, average = pr.twap(observations, t, window, 1800, 1800)
    return dict(name="gap before the window", t=t, window=window, max_gap=1800, max_stale=1800, observations=[list(o) for o in observations], sum=total, twap=average)


def collars(average):
    edge = average * 100 // 10**4
    return [dict(last=p, twap=average, bps=100, inside=pr.inside_collar(p, average, 100)) for p in (average, average + edge, average + edge + 1, average - edge, average - edge - 1)]


def notionals(average):
    cases = [(1, 1, average, 0), (250, 100_000, average, 0), (250, 100_000, average, 1), (250, 100_000, average, 16_383), (0, 100_000, average, 25), (2**51 // 1000, 1000, 10**12, 16_383), (3, 10**8, 10**6, 1)]
    return [dict(lots=n, lot=lot, twap=p, spread=s, notional=pr.notional(n, lot, p, s)) for n, lot, p, s in cases]


def clearing():
    key = fx.fixed32("table data key at the epoch's first version")
    epoch, salt = 3, tb.epoch_salt(key, 3)
    digests = [fx.fixed32(f"order/{k}") for k in range(6)]
    keyed = sorted((cl.order_key(salt, epoch, d), k) for k, d in enumerate(digests))
    draws = []
    for k, (low, high, quantity) in enumerate(((2_000, 4_000, 500_000), (1, 10_000, 1), (10_000, 10_000, 77), (1, 1, 99), (0, 65_535, 123_456_789))):
        request, seed = fx.fixed32(f"dispersion request/{k}"), fx.fixed32(f"dispersion seed/{k}")
        u, d = cl.dispersion(request, seed, low, high)
        draws.append(dict(request_id=request, seed=seed, low=low, high=high, quantity=quantity, u=u.to_bytes(8, "big"), d=d, limit=cl.dispersion_limit(d, quantity)))
    return dict(
        epoch_salt=dict(data_key=key, epoch=epoch, epoch_salt=salt), dispersion=draws,
        canonical_order=dict(epoch=epoch, epoch_salt=salt, order_digests=digests, keys=[cl.order_key(salt, epoch, d) for d in digests], ascending=[k for _, k in keyed]),
        admissible_spread=[
            dict(s0=s0, s1=s1, t0=t0, t1=t1, t=t, spread=cl.admissible_spread(s0, s1, t0, t1, t))
            for s0, s1, t0, t1, t in ((100, 900, 1000, 1600, 900), (100, 900, 1000, 1600, 1000), (100, 900, 1000, 1600, 1001), (100, 900, 1000, 1600, 1599), (100, 900, 1000, 1600, 1600), (100, 900, 1000, 1600, 9999), (0, 16_383, 0, 7, 3), (5, 5, 1, 2, 1))
        ],
        capacity=[
            dict(q=q, b=b, cap=k, limit=limit, minimum=m, lot=lot, capacity=cl.capacity(q, b, k, limit, m, lot))
            for q, b, k, limit, m, lot in ((100, 90, 80, 70, 0, 1000), (100, 90, 80, 70, 70_000, 1000), (100, 90, 80, 70, 70_001, 1000), (100, 0, 80, 70, 0, 1000), (1, 1, 1, 1, 1, 1))
        ],
    )
