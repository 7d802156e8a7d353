#!/usr/bin/env python3
"""The golden digests of the clearing rules, by an implementation that shares no code with the crate.

    python3 vectors/clearing/generate.py            writes digests.json
    python3 vectors/clearing/generate.py --check    exit code 1 if it differs

Written from docs/spec/clearing.md. Slow, and not for secrets. README.md says what is drawn and what is hashed.
"""

import hashlib
import json
import sys
from pathlib import Path

FILE = Path(__file__).with_name("digests.json")
EDGE = 2**51
MOST = EDGE - 1
DEADLINE = 1_000_000
ALL_TIERS = 2**64 - 1
OK, PRICE, TOO_SMALL, MINIMUM, TOO_LARGE = range(5)


class Draw:
    """SplitMix64."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        mask = 2**64 - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = ((self.state ^ (self.state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    def below(self, bound):
        return self.next() % bound

    def one_in(self, number):
        return self.below(number) == 0

    def amount(self, bits):
        """A number whose length in bits is uniform up to `bits`."""
        length = self.below(bits)
        return self.next() >> (63 - length)

    def spread(self):
        return self.below(16_384) if self.one_in(4) else 100 + self.below(5)

    def permutation(self, number):
        keys = [self.next() for _ in range(number)]
        return sorted(range(number), key=keys.__getitem__)

    def names(self):
        allow = self.one_in(2)
        return allow, [self.below(8) for _ in range(self.below(4))]

    def lists(self, number):
        return [self.names() for _ in range(number)] if self.one_in(2) else None

    def order(self, bits):
        order = {"owner": self.below(8), "spread": self.spread(), "size": self.amount(bits)}
        order["balance"] = self.amount(bits) if self.one_in(4) else order["size"]
        order["cap"] = self.amount(bits) if self.one_in(4) else MOST
        order["minimum"] = self.amount(bits - 2) if self.one_in(3) else 0
        order["expiry"] = DEADLINE - 1 if self.one_in(16) else DEADLINE
        order["tiers"] = 1 if self.one_in(16) else ALL_TIERS
        order["frozen"] = self.one_in(16)
        return order

    def request(self, bits):
        request = {"owner": self.below(8), "size": self.amount(bits)}
        request["least"] = self.amount(bits) if self.one_in(2) else request["size"]
        request["limit"] = self.amount(bits) if self.one_in(3) else MOST
        request["spread"] = self.spread() if self.one_in(4) else 16_383
        request["tiers"] = 2 if self.one_in(8) else ALL_TIERS
        return request

    def price(self):
        return None if self.one_in(16) else 1 + (self.next() >> 15)


def admits(names, owner):
    if names is None or not names[1]:
        return True
    allow, listed = names
    return (owner in listed) == allow


def capacity(request, order, given, theirs, ours):
    refused = (
        order["expiry"] < DEADLINE
        or order["owner"] == request["owner"]
        or not order["tiers"] & request["tiers"]
        or order["spread"] > request["spread"]
        or order["frozen"]
        or not admits(theirs, request["owner"])
        or not admits(ours, order["owner"])
    )
    offered = min(order["size"] - given, order["balance"] - given, order["cap"], request["limit"])
    return 0 if refused or offered < order["minimum"] else offered


def telescope(rest, weights):
    """Whole lots in proportion to the weights, in their order; they add up to `rest`."""
    total = sum(weights)
    rate = -(-(rest << 52) // total) if total else 0
    running, shares = 0, []
    for weight in weights:
        before = running * rate >> 52
        running += weight
        shares.append((running * rate >> 52) - before)
    return shares


def rule_a(rows, want):
    """`rows` are pairs of spread and capacity, in canonical order."""
    reach = lambda spread: sum(e for s, e in rows if s <= spread)
    margin = min(s for s, _ in rows if reach(s) >= want)
    full = sum(e for s, e in rows if s < margin)
    shares = telescope(want - full, [e if s == margin else 0 for s, e in rows])
    return [e if s < margin else share for (s, e), share in zip(rows, shares)]


def rule_b(rows, want):
    """The level by bisection."""
    low, high = 0, want
    while low < high:
        middle = (low + high) // 2
        if sum(min(e, middle) for _, e in rows) >= want:
            high = middle
        else:
            low = middle + 1
    below = [min(e, low - 1) for _, e in rows]
    ones = telescope(want - sum(below), [int(e >= low) for _, e in rows])
    return [base + one for base, one in zip(below, ones)]


def solve(rules, request, rows, minimums):
    """(reason, fills), in canonical order."""
    nothing = [0] * len(rows)
    if sum(e for _, e in rows) >= EDGE or request["size"] * rules["lot"] >= EDGE:
        return TOO_LARGE, nothing
    for turn in range(rules["solves"]):
        want = min(request["size"], sum(e for _, e in rows))
        if want == 0 or want < request["least"]:
            return (MINIMUM if turn else TOO_SMALL), nothing
        fills = (rule_a if rules["rule"] == "A" else rule_b)(rows, want)
        dropped = [0 < fill < minimum for fill, minimum in zip(fills, minimums)]
        if not any(dropped):
            return OK, fills
        rows = [(s, 0 if gone else e) for (s, e), gone in zip(rows, dropped)]
    return MINIMUM, nothing


def clear(rules, request, orders, capacities, permutation, price):
    """(reason, fills, notionals), by slot."""
    rows = [(orders[slot]["spread"], capacities[slot]) for slot in permutation]
    reason, filled = solve(rules, request, rows, [orders[slot]["minimum"] for slot in permutation])
    fills = [0] * len(orders)
    if price is None:
        return PRICE, fills, fills
    for slot, fill in zip(permutation, filled):
        fills[slot] = fill
    dearest = max((o["spread"] for o, fill in zip(orders, fills) if fill), default=0)
    paid = [dearest if rules["pricing"] == "uniform" else o["spread"] for o in orders]
    notional = lambda fill, spread: -(-(fill * rules["lot"] * price * (10**6 + spread)) // 10**14)
    return reason, fills, [notional(fill, spread) for fill, spread in zip(fills, paid)]


def batch(rules, draw, digest, reasons):
    bits = rules["bits"]
    orders = [draw.order(bits) for _ in range(draw.below(30))]
    permutation = draw.permutation(len(orders))
    requests = [draw.request(bits) for _ in range(1 + draw.below(3))]
    prices = [draw.price() for _ in requests]
    sequence = draw.permutation(len(requests))
    theirs = draw.lists(len(orders)) or [None] * len(orders)
    ours = draw.lists(len(requests)) or [None] * len(requests)
    given, rows = [0] * len(orders), {}
    for at in sequence:
        capacities = [capacity(requests[at], o, given[i], theirs[i], ours[at]) for i, o in enumerate(orders)]
        rows[at] = clear(rules, requests[at], orders, capacities, permutation, prices[at])
        given = [before + fill for before, fill in zip(given, rows[at][1])]
    for at in range(len(requests)):
        reason, fills, notionals = rows[at]
        reasons[reason] += 1
        digest.update(bytes([reason]) + sum(fills).to_bytes(8, "big") + sum(notionals).to_bytes(16, "big"))
        for fill, notional in zip(fills, notionals):
            digest.update(fill.to_bytes(8, "big") + notional.to_bytes(16, "big"))


def digest_of(rules):
    draw, digest, reasons = Draw(rules["seed"]), hashlib.sha256(), [0] * 5
    for _ in range(rules["batches"]):
        batch(rules, draw, digest, reasons)
    return rules | {"reasons": reasons, "sha256": digest.hexdigest()}


def sets():
    seed = 0
    for rule in "AB":
        for pricing in ("as_bid", "uniform"):
            for lot, bits, solves in ((1_000_000, 10, 4), (1, 51, 4), (1, 10, 1)):
                seed += 1
                rules = {"rule": rule, "pricing": pricing, "solves": solves, "lot": lot, "bits": bits}
                yield digest_of(rules | {"seed": seed, "batches": 400})


def main():
    text = json.dumps({"sets": list(sets())}, indent=1) + "\n"
    if "--check" not in sys.argv[1:]:
        FILE.write_text(text)
        return 0
    if FILE.read_text() == text:
        return 0
    print(f"error: {FILE.name} differs", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
