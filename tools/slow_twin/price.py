"""Price digest, time-weighted average, collar, notional."""

from fractions import Fraction
from math import ceil, floor

from . import evm
from .encoding import require


def digest(observations):
    """observations: (round, answer, updatedAt), oldest first."""
    body = b"".join(evm.words(*o) for o in observations)
    return evm.keccak256(evm.words(32, len(observations)) + body)


def micro_dollars(answer, decimals):
    return floor(Fraction(answer * 10**6, 10**decimals))


def twap(observations, t, window, max_gap, max_stale):
    """observations: (time, micro-dollars). The last price holds until the next observation."""
    times = [time for time, _ in observations]
    require(all(a < b for a, b in zip(times, times[1:])), "times")
    start = t - window
    require(times and times[0] <= start, "no observation at or before the window")
    require(times[-1] <= t, "observation after the window")
    for a, b in zip(times, times[1:]):
        require(b <= start or b - a <= max_gap, "gap")
    require(t - times[-1] <= max_stale, "stale")
    total = 0
    for k, (time, price) in enumerate(observations):
        begin = max(time, start)
        end = times[k + 1] if k + 1 < len(times) else t
        total += price * max(0, end - begin)
    return total, floor(Fraction(total, window))


def inside_collar(last, average, bps):
    return abs(last - average) * 10**4 <= bps * average


def notional(lots, lot, average, spread):
    return ceil(Fraction(lots * lot * average * (10**6 + spread), 10**14))
