"""ristretto255 over Python integers, as in RFC 9496. Variable time: test data only."""

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def is_negative(x):
    return x % P & 1


def absolute(x):
    x %= P
    return P - x if x & 1 else x


def sqrt_ratio_m1(u, v):
    """RFC 9496 section 4.2: (was_square, non-negative root of u/v or of SQRT_M1*u/v)."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    u %= P
    correct = check == u
    flipped = check == (-u) % P
    flipped_i = check == (-u * SQRT_M1) % P
    if flipped or flipped_i:
        r = r * SQRT_M1 % P
    return correct or flipped, absolute(r)


def positive_root(x):
    square, root = sqrt_ratio_m1(x, 1)
    assert square
    return root


SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
INVSQRT_A_MINUS_D = sqrt_ratio_m1(1, -1 - D)[1]
ONE_MINUS_D_SQ = (1 - D * D) % P
D_MINUS_ONE_SQ = (D - 1) ** 2 % P
assert SQRT_AD_MINUS_ONE**2 % P == (-D - 1) % P


class DecodeError(ValueError):
    """The 32 bytes are not the canonical encoding of a group element."""


class Point:
    """Extended twisted Edwards coordinates of a representative; equality is that of ristretto255."""

    __slots__ = ("x", "y", "z", "t")

    def __init__(self, x, y, z, t):
        self.x, self.y, self.z, self.t = x, y, z, t

    def __add__(self, other):
        a = (self.y - self.x) * (other.y - other.x) % P
        b = (self.y + self.x) * (other.y + other.x) % P
        c = 2 * self.t * other.t * D % P
        d = 2 * self.z * other.z % P
        e, f, g, h = b - a, d - c, d + c, b + a
        return Point(e * f % P, g * h % P, f * g % P, e * h % P)

    def __neg__(self):
        return Point(-self.x % P, self.y, self.z, -self.t % P)

    def __sub__(self, other):
        return self + -other

    def __rmul__(self, scalar):
        result, power, scalar = IDENTITY, self, scalar % L
        while scalar:
            if scalar & 1:
                result = result + power
            power = power + power
            scalar >>= 1
        return result

    def __eq__(self, other):
        return (self.x * other.y - self.y * other.x) % P == 0 or (self.y * other.y - self.x * other.x) % P == 0

    def is_identity(self):
        return self == IDENTITY

    def encode(self):
        """RFC 9496 section 4.3.2."""
        x0, y0, z0, t0 = self.x, self.y, self.z, self.t
        u1 = (z0 + y0) * (z0 - y0) % P
        u2 = x0 * y0 % P
        _, invsqrt = sqrt_ratio_m1(1, u1 * u2 * u2 % P)
        den1 = invsqrt * u1 % P
        den2 = invsqrt * u2 % P
        z_inv = den1 * den2 * t0 % P
        if is_negative(t0 * z_inv):
            x, y, den = y0 * SQRT_M1 % P, x0 * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
        else:
            x, y, den = x0, y0, den2
        if is_negative(x * z_inv):
            y = -y
        return absolute(den * (z0 - y)).to_bytes(32, "little")


IDENTITY = Point(0, 1, 1, 0)


def decode(data):
    """RFC 9496 section 4.3.1."""
    if len(data) != 32:
        raise DecodeError("length")
    s = int.from_bytes(data, "little")
    if s >= P or is_negative(s):
        raise DecodeError("not canonical")
    ss = s * s % P
    u1, u2 = (1 - ss) % P, (1 + ss) % P
    u2_sqr = u2 * u2 % P
    v = (-(D * u1 * u1) - u2_sqr) % P
    square, invsqrt = sqrt_ratio_m1(1, v * u2_sqr % P)
    den_x = invsqrt * u2 % P
    den_y = invsqrt * den_x * v % P
    x = absolute(2 * s * den_x)
    y = u1 * den_y % P
    t = x * y % P
    if not square or is_negative(t) or y == 0:
        raise DecodeError("not a group element")
    return Point(x, y, 1, t)


def elligator(t):
    """RFC 9496 section 4.3.4, MAP."""
    r = SQRT_M1 * t * t % P
    u = (r + 1) * ONE_MINUS_D_SQ % P
    v = (-1 - r * D) * (r + D) % P
    square, s = sqrt_ratio_m1(u, v)
    c = -1
    if not square:
        s, c = -absolute(s * t) % P, r
    n = (c * (r - 1) * D_MINUS_ONE_SQ - v) % P
    w0, w1 = 2 * s * v % P, n * SQRT_AD_MINUS_ONE % P
    w2, w3 = (1 - s * s) % P, (1 + s * s) % P
    return Point(w0 * w3 % P, w2 * w1 % P, w1 * w3 % P, w0 * w2 % P)


def from_uniform(data):
    """RFC 9496 section 4.3.4: one-way map of 64 bytes."""
    assert len(data) == 64
    mask = (1 << 255) - 1
    halves = [int.from_bytes(data[i : i + 32], "little") & mask for i in (0, 32)]
    return elligator(halves[0] % P) + elligator(halves[1] % P)


BASE = decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))


def encode_scalar(x):
    return (x % L).to_bytes(32, "little")


def decode_scalar(data):
    value = int.from_bytes(data, "little")
    if len(data) != 32 or value >= L:
        raise DecodeError("scalar not canonical")
    return value


def reduce_wide(data):
    assert len(data) == 64
    return int.from_bytes(data, "little") % L


def invert(x):
    return pow(x, L - 2, L)
