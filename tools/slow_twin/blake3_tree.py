"""BLAKE3's tree (paper, sections 2.1 to 2.5) without its library: chaining values of blocks of 1 024 bytes and parents of pairs."""

import struct

BLOCK = 1024
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8
IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
COLUMNS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))


def rotate(x, n):
    return (x >> n | x << 32 - n) & 0xFFFFFFFF


def mix(v, a, b, c, d, x, y):
    for word, turn_d, turn_b in ((x, 16, 12), (y, 8, 7)):
        v[a] = (v[a] + v[b] + word) & 0xFFFFFFFF
        v[d] = rotate(v[d] ^ v[a], turn_d)
        v[c] = (v[c] + v[d]) & 0xFFFFFFFF
        v[b] = rotate(v[b] ^ v[c], turn_b)


def compress(h, block, counter, flags):
    m = struct.unpack("<16I", block.ljust(64, b"\0"))
    v = [*h, *IV[:4], counter & 0xFFFFFFFF, counter >> 32, len(block), flags]
    for _ in range(7):
        for k, lanes in enumerate(COLUMNS + DIAGONALS):
            mix(v, *lanes, m[2 * k], m[2 * k + 1])
        m = [m[i] for i in PERMUTATION]
    return [v[i] ^ v[i + 8] for i in range(8)]


def block_value(counter, data, root=0):
    """The chaining value of the block with this number; with ROOT, the hash of a whole input of one block."""
    assert 0 < len(data) <= BLOCK
    h, last = IV, (len(data) - 1) // 64
    for k in range(last + 1):
        flags = (CHUNK_START if k == 0 else 0) | (CHUNK_END | root if k == last else 0)
        h = compress(h, data[64 * k : 64 * k + 64], counter, flags)
    return struct.pack("<8I", *h)


def parent(left, right, root=0):
    return struct.pack("<8I", *compress(IV, left + right, 0, PARENT | root))


def levels(data):
    """Chaining values of all levels below the root, then the root; the number of blocks is a power of two."""
    blocks = [data[k : k + BLOCK] for k in range(0, len(data), BLOCK)]
    if len(blocks) == 1:
        return [[block_value(0, data, ROOT)]]
    out = [[block_value(k, block) for k, block in enumerate(blocks)]]
    while len(out[-1]) > 1:
        below = out[-1]
        root = ROOT if len(below) == 2 else 0
        out.append([parent(below[k], below[k + 1], root) for k in range(0, len(below), 2)])
    return out
