"""What cryptography decides in a clearing: dispersion, canonical order, admissible spread; and the two allocation rules' targets."""

from fractions import Fraction
from math import floor

from .encoding import *


def admissible_spread(s0, s1, t0, t1, t):
    t = min(max(t, t0), t1)
    return s0 + floor(Fraction((s1 - s0) * (t - t0), t1 - t0))


def dispersion(request_id, seed, low, high):
    u = int.from_bytes(H("dispersion", request_id, seed)[:8], "big")
    return u, low + (u * (high - low + 1) >> 64)


def dispersion_limit(d, quantity):
    return max(1, d * quantity // 10**4)


def order_key(epoch_salt, epoch, order_digest):
    return digest32("order", epoch_salt, u64(epoch), order_digest)


def capacity(q, b, k, limit, minimum, lot):
    e = min(min(q, b, k), limit)
    return e if e >= -(-minimum // lot) else 0
