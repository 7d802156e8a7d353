"""Vectors of the table: a genesis version with three used rows, then the version left by an unbalanced batch (code 1)."""

import hashlib

from . import fixture as fx
from . import table as tb
from . import tdh2
from .encoding import *

OWNER = fx.fixed20("owner")
READING_KEY = fx.fixed32("owner reading key")
TIER, EPOCH = 10, 3


def p0_fields(version, previous):
    return dict(chain=fx.CHAIN, contract=fx.CONTRACT, table=fx.TABLE, epoch=EPOCH, version=version, previous=previous, tier=TIER)


def version_record(fields, p0, random32, old_key, updates, used_rows):
    Y = fx.committee_a().Y
    data_key, update = tb.fresh_data_key(random32, old_key, p0, updates)
    random64 = fx.fixed64(f"wrap/{fields['version']}")
    used = used_rows(data_key)
    v = tb.seal_version(Y, p0, fields, data_key, used, random64)
    opened = tdh2.parse_and_verify(Y, tdh2.unwrap(v["wrapped"], v["table_label"]))
    assert tdh2.open_with(Y, opened, v["ciphertext"]["K"]) == data_key
    body = b"".join(v["sealed"])
    shown = [0, 1, 2, 3, 1023]
    entries = []
    for i in shown:
        reading = tb.reading_keys(v["rows"], data_key)[i]
        key, sealed = tb.owner_entry(reading, b"ccc/v1/owner", v["P1"], i, v["rows"][i] + v["salts"][i])
        assert sealed == v["entries"][i] and len(sealed) == 112
        entries.append(dict(index=i, row=v["rows"][i], row_salt=v["salts"][i], leaf=v["levels"][0][i], path=tb.path(v["levels"], i), reading_key=reading, entry_key=key, entry=sealed))
    record = dict(
        **fields, P0=p0, random32=random32, old_data_key=old_key, updates=updates, update_digest=update, data_key=data_key, body_key=v["body_key"],
        key_commitment=v["key_commitment"], salt_key=v["salt_key"], used_rows=used, chunk_aad=v["chunk_aad"], sealed_length=len(body), sealed_first_64=body[:64],
        sealed_last_16=body[-16:], sealed_sha256=hashlib.sha256(body).digest(), leaves=v["leaves"], body_root=v["body_root"], state_root=v["state_root"],
        P1=v["P1"], table_label=v["table_label"], wrap_random64=random64, ct_digest=v["ciphertext"]["ct_digest"], K=v["ciphertext"]["K"], wrapped=v["wrapped"],
        header=v["header"], header_hash=v["header_hash"], sidecar_length=len(v["sidecar"]), sidecar_first_38=v["sidecar"][:38],
        sidecar_sha256=hashlib.sha256(v["sidecar"]).digest(), sidecar_entries_offset=38 + 32 * (2 ** (TIER + 1) - 2), entries=entries,
    )
    return record, v, data_key


def table():
    Y = fx.committee_a().Y
    fields = p0_fields(1, bytes(32))
    salt = {}

    def genesis_rows(data_key):
        salt["epoch"] = tb.epoch_salt(data_key, EPOCH)
        return [tb.status_row(salt["epoch"], 0, 1), tb.key_row(OWNER, READING_KEY), tb.row(OWNER, 0, 10**18 + 7, 12, 1, 0)]

    first, v1, key1 = version_record(fields, tb.header_p0(**fields), fx.fixed32("table random/1"), bytes(32), [], genesis_rows)
    fields2 = p0_fields(2, v1["header_hash"])
    deltas = [tb.delta(OWNER, 0, -5 * 10**17, -12)] + [tb.delta(tb.NOBODY, 0, 0, 0)] * 15

    def next_rows(_):
        return [tb.status_row(salt["epoch"], 1, 2), v1["rows"][1], v1["rows"][2]]

    second, v2, _ = version_record(fields2, tb.header_p0(**fields2), fx.fixed32("table random/2"), key1, deltas, next_rows)
    return dict(
        master_secret=g_secret(), Y=Y, owner=OWNER, reading_key=READING_KEY, epoch_salt=salt["epoch"],
        rows=row_cases(), deltas=delta_cases(), delta_slots=[dict(slots=s, makers=n, K=tb.delta_slots(s, n)) for s, n in ((1, 0), (1, 7), (1, 8), (1, 31), (2, 16), (1, 127), (4, 300))],
        tiers=[dict(tier=t, rows=2**t, chunks=2 ** (t - 10)) for t in range(10, 25, 2)],
        versions=[first, second], receipts=receipts(v2["P1"]), body_root_many=many_leaves(), chunks_many=[many_chunks(suite) for suite in (1, 2)],
        chunk_proofs=[proof_cases(tier) for tier in (10, 12, 14, 16, 18)], operations=operation_cases(), own_versions=own_version_cases(), forced_transfers=forced_cases(), transfers=transfer_cases(),
        answers=answer_cases(v2["header_hash"]),
    )


def g_secret():
    return fx.g.encode_scalar(fx.committee_a().coefficients[0])


def row_cases():
    cases = [
        dict(account=OWNER, asset=1, amount=2**128 - 1, reserved=2**51 - 1, nonce=9, flags=0x0700 | tb.FROZEN | tb.WITHDRAWING),
        dict(account=OWNER, asset=0, amount=0, reserved=0, nonce=0, flags=0),
    ]
    return [dict(**{f"row_{k}" if k == "nonce" else k: x for k, x in c.items()}, row=tb.row(**c)) for c in cases]


def delta_cases():
    cases = [dict(account=OWNER, asset=1, amount=-1, delta_reserved=-3), dict(account=OWNER, asset=2, amount=2**127 - 1, delta_reserved=7), dict(account=tb.NOBODY, asset=0, amount=0, delta_reserved=0)]
    return [dict(**c, delta_bytes=tb.delta(c["account"], c["asset"], c["amount"], c["delta_reserved"])) for c in cases]


OTHER = fx.fixed20("other owner")


def operation_cases():
    """One of each tag, and the digest of an update that holds it alone beside sixteen dummies."""
    dummies = [tb.delta(tb.NOBODY, 0, 0, 0)] * 16
    cases = [
        ("register", dict(account=OWNER, reading_key=READING_KEY), tb.register),
        ("open", dict(account=OWNER, asset=1), tb.open_row),
        ("deposit", dict(account=OWNER, asset=1, amount=2**100 + 1, reading_key=READING_KEY), tb.deposit),
        ("withdraw", dict(account=OWNER, asset=1, amount=2**64), tb.withdraw),
        ("reserve", dict(account=OWNER, asset=0, lots=250), tb.reserve),
        ("freeze", dict(account=OWNER, asset=0, reason=7, frozen=1), tb.freeze),
        ("forced transfer", dict(account=OWNER, asset=0, amount=10**18, to=OTHER, reason=0x2A), tb.forced_transfer),
        ("transfer", dict(account=OWNER, asset=1, amount=2**65 + 3, to=OTHER), tb.transfer),
    ]
    return [dict(operation=name, **fields, bytes=make(**fields), update_digest=digest32("update", [make(**fields)] + dummies)) for name, fields, make in cases]


def own_version_cases():
    to = fx.committee_a().Y.encode()
    cases = [dict(growth_to=12, bytes=tb.growth(12)), dict(new_epoch=4, bytes=tb.new_epoch(4)), dict(rotated_in=5, to=to, bytes=tb.rotation(5, to))]
    return [dict(**case, update_digest=digest32("update", [case["bytes"]])) for case in cases]


def forced_cases():
    """Rows before and after: within the free part, into the reserved part, everything; and refusals."""
    target = dict(account=OTHER, asset=0, amount=5, reserved=0, nonce=3, flags=0x0900 | tb.FROZEN)
    out = []
    for flags, amount in ((tb.FROZEN, 100), (tb.FROZEN | tb.WITHDRAWING | 0x0700, 9_500), (tb.FROZEN, 12_345), (tb.FROZEN, 12_346), (tb.FROZEN, 0), (0, 100)):
        source = dict(account=OWNER, asset=0, amount=12_345, reserved=9, nonce=1, flags=flags)
        after = tb.forced(source, target, amount, 0x2A, 1_000)
        rows = [tb.row(**r) for r in after] if after else []
        out.append(dict(lot=1_000, amount=str(amount), reason=0x2A, before=[tb.row(**source), tb.row(**target)], after=rows))
    return out


def transfer_cases():
    """Rows before and after: the whole free part into a frozen row, one unit more, nothing, out of a frozen or withdrawing row, past u128."""
    target = dict(account=OTHER, asset=0, amount=5, reserved=0, nonce=3, flags=0x0900 | tb.FROZEN)
    full = {**target, "amount": 2**128 - 100}
    out = []
    for flags, amount, other in ((0, 3_345, target), (0x0700, 1, target), (0, 3_346, target), (0, 0, target), (tb.FROZEN, 100, target), (tb.WITHDRAWING, 100, target), (0, 99, full), (0, 100, full)):
        source = dict(account=OWNER, asset=0, amount=12_345, reserved=9, nonce=1, flags=flags)
        after = tb.transferred(source, other, amount, 1_000)
        rows = [tb.row(**r) for r in after] if after else []
        out.append(dict(lot=1_000, amount=str(amount), before=[tb.row(**source), tb.row(**other)], after=rows))
    return out


def answer_cases(header_hash):
    """What queries on version 2 read: the owner's holdings in two assets, nobody's, and a summary for two auditors."""
    keys = sorted(fx.fixed32(f"auditor {i}") for i in (1, 2))
    digest = tb.auditor_set(9, keys)
    owners = tb.holdings(header_hash, 2, OWNER, [(0, 10**18 + 7, 12, 1), None])
    none = tb.holdings(header_hash, 2, OTHER, [None, None])
    totals = tb.summary(header_hash, 2, 9, digest, 1, 1, 0, [(10**18 + 7, 0), (0, 0)])
    return dict(assets=2, owner=OWNER, holdings=owners, other=OTHER, holdings_of_other=none, auditors=keys, set_version=9, set_digest=digest, summary=totals)


def many_leaves():
    """Body root over four short stand-ins for sealed chunks: the index in the leaf is what differs."""
    chunks = [b"same"] * 4
    root, leaves = tb.body_root(chunks)
    return dict(chunks=chunks, leaves=leaves, body_root=root)


def many_chunks(suite):
    """A 2^12-row body of unused rows in either suite: nonce = chunk index."""
    fields = {**p0_fields(3, bytes(32)), "tier": 12}
    p0 = tb.header_p0(**fields, suite=suite)
    data_key = fx.fixed32("data key of four chunks")
    body_key, _ = tb.table_keys(data_key, p0)
    sealed, aad = tb.seal_chunks(body_key, p0, [bytes(64)] * 4096, suite)
    root, leaves = tb.body_root(sealed)
    return dict(**fields, suite=suite, P0=p0, data_key=data_key, body_key=body_key, chunk_aad=aad, tags=[c[-16:] for c in sealed], leaves=leaves, body_root=root)


def proof_cases(tier):
    """Proofs over chunks that are their index, u32be, as often as it fits a sealed chunk."""
    chunks = 2 ** (tier - 10)
    root, leaves = tb.body_root([u32(i) * 16_388 for i in range(chunks)])
    assert tb.blake3_tree.levels(b"".join(leaves))[-1] == [root]
    indices = sorted({0, chunks // 2, chunks - 1})
    return dict(tier=tier, body_root=root, indices=indices, proofs=[tb.chunk_proof(leaves, i) for i in indices])


def receipts(p1):
    out = []
    for slot, outcome, reason, lots, notional, index, new_amount in ((0, 1, 0, 250, 16_750_000_000, 2, 10**18), (1, 0, 3, 0, 0, 2, 10**18 + 7)):
        f = dict(request=fx.request_ids()[0], order_digest=fx.ciphertext("recipient")["ct_digest"], version=2, outcome=outcome, reason=reason, lots=lots, notional=notional, row_index=index)
        plain = tb.receipt(**f, new_amount=new_amount)
        key, sealed = tb.owner_entry(READING_KEY, b"ccc/v1/receipt", p1, slot, plain)
        assert len(plain) == 128 and len(sealed) == 144
        out.append(dict(slot=slot, **f, new_amount=str(new_amount), receipt=plain, P1=p1, reading_key=READING_KEY, receipt_key=key, sealed=sealed))
    return out
