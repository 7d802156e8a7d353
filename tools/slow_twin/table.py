"""The encrypted balance table, its header, state tree, sidecar and receipts."""

import hashlib
import hmac

from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from . import blake3_tree, tdh2
from .encoding import *
from .evm import keccak256

ROW, CHUNK = 64, 65536
STATUS_ASSET, KEY_ASSET = 0xFFFFFFFE, 0xFFFFFFFF
NOBODY = bytes(20)
FROZEN, WITHDRAWING = 1, 2


def row(account, asset, amount=0, reserved=0, nonce=0, flags=0):
    assert len(account) == 20
    return account + u32(asset) + amount.to_bytes(16, "big") + u64(reserved) + u64(nonce) + u16(flags) + bytes(6)


def key_row(account, reading_key):
    assert len(reading_key) == 32
    return account + u32(KEY_ASSET) + reading_key + bytes(8)


def status_row(epoch_salt, code, version):
    return row(NOBODY, STATUS_ASSET, int.from_bytes(epoch_salt, "big"), code, version)


def header_p0(chain, contract, table, epoch, version, previous, tier, suite=1):
    out = (
        b"CCTB" + u16(1) + u16(suite) + u64(chain) + contract + table + u64(epoch) + u64(version) + previous + u8(tier)
        + u16(ROW) + u32(2 ** (tier - 10))
    )
    assert len(out) == 123
    return out


def delta(account, asset, amount, reserved):
    return account + u32(asset) + amount.to_bytes(16, "big", signed=True) + reserved.to_bytes(8, "big", signed=True)


def register(account, reading_key):
    return u8(1) + account + reading_key


def open_row(account, asset):
    return u8(2) + account + u32(asset)


def deposit(account, asset, amount, reading_key):
    return u8(3) + account + u32(asset) + amount.to_bytes(16, "big") + reading_key


def withdraw(account, asset, amount):
    return u8(4) + account + u32(asset) + amount.to_bytes(16, "big")


def reserve(account, asset, lots):
    return u8(5) + account + u32(asset) + u64(lots)


def freeze(account, asset, reason, frozen):
    return u8(6) + account + u32(asset) + u8(reason) + u8(int(frozen))


def forced_transfer(account, asset, amount, to, reason):
    return u8(7) + account + u32(asset) + amount.to_bytes(16, "big") + to + u8(reason)


def transfer(account, asset, amount, to):
    return u8(10) + account + u32(asset) + amount.to_bytes(16, "big") + to


def growth(tier):
    return u8(8) + u8(tier)


def new_epoch(epoch):
    return u8(9) + u64(epoch)


def rotation(epoch, master):
    return u8(11) + u64(epoch) + master


def forced(source, target, amount, reason, lot):
    """Both rows after a forced transfer, or None where it is refused; rows as dictionaries of their fields."""
    if not source["flags"] & FROZEN or not 0 < amount <= source["amount"] or target["amount"] + amount >= 2**128:
        return None
    left = source["amount"] - amount
    flags = (source["flags"] & WITHDRAWING) | FROZEN | reason << 8
    source = {**source, "amount": left, "reserved": min(source["reserved"], left // lot), "nonce": source["nonce"] + 1, "flags": flags}
    return source, {**target, "amount": target["amount"] + amount, "nonce": target["nonce"] + 1}


def transferred(source, target, amount, lot):
    """Both rows after a transfer, or None where it is refused; rows as dictionaries of their fields."""
    free = source["amount"] - source["reserved"] * lot
    if source["flags"] & (FROZEN | WITHDRAWING) or not 0 < amount <= free or target["amount"] + amount >= 2**128:
        return None
    source = {**source, "amount": source["amount"] - amount, "nonce": source["nonce"] + 1}
    return source, {**target, "amount": target["amount"] + amount, "nonce": target["nonce"] + 1}


def delta_slots(slots, makers):
    size = 16
    while size < slots * (2 + 2 * makers):
        size *= 4
    return size


def fresh_data_key(random32, old_key, p0, updates):
    update = digest32("update", updates)
    return hkdf(random32 + old_key, b"ccc/v1/table-fresh", lp(p0) + lp(update), 32), update


def table_keys(data_key, p0):
    okm = hkdf(data_key, b"ccc/v1/table", p0, 64)
    return okm[:32], okm[32:]


def epoch_salt(data_key, epoch):
    return hkdf(data_key, b"ccc/v1/epoch-salt", u64(epoch), 16)


def salt_key(data_key, p0):
    return hkdf(data_key, b"ccc/v1/table-salt", p0, 32)


def salt(key, i):
    return hmac.new(key, u32(i), hashlib.sha256).digest()


def state_levels(rows, salts):
    """Levels from the leaves upward, the root last."""
    sha = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
    levels = [[sha(b"\0", s, r) for r, s in zip(rows, salts)]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([sha(b"\1", below[k], below[k + 1]) for k in range(0, len(below), 2)])
    return levels


def path(levels, index):
    out = []
    for level in levels[:-1]:
        out.append(level[index ^ 1])
        index >>= 1
    return out


AEAD = {1: ChaCha20Poly1305, 2: AESGCM}


def seal_chunks(body_key, p0, rows, suite=1):
    plain = b"".join(rows)
    aad = digest_bytes(p0)
    chunks = [plain[k : k + CHUNK] for k in range(0, len(plain), CHUNK)]
    assert all(len(c) == CHUNK for c in chunks)
    return [AEAD[suite](body_key).encrypt(u96(i), c, aad) for i, c in enumerate(chunks)], aad


def body_root(sealed):
    leaves = [blake3(u32(i) + c).digest() for i, c in enumerate(sealed)]
    return blake3(b"".join(leaves)).digest(), leaves


def chunk_proof(leaves, index):
    """The other leaves of the chunk's block of BLAKE3, then the chaining values beside its way to the root."""
    block, place = index // 32, index % 32
    beside = leaves[32 * block : 32 * block + 32]
    above = path(blake3_tree.levels(b"".join(leaves)), block)
    return b"".join(beside[:place] + beside[place + 1 :] + above)


def table_label(chain, contract, table, version, p1):
    return label(TABLE_KEY, chain, contract, table, version, bytes(20), 0, digest32("table", p1))


def owner_entry(reading_key, salt_label, p1, index, plaintext):
    key = hkdf(reading_key, salt_label, p1, 32)
    return key, ChaCha20Poly1305(key).encrypt(u96(index), plaintext, b"")


def reading_keys(rows, data_key):
    """Per row: the owner's key from its key row; the data key for unused, status and key rows."""
    registered = {r[:20]: r[24:56] for r in rows if r[20:24] == u32(KEY_ASSET)}
    special = (u32(KEY_ASSET), u32(STATUS_ASSET))
    return [data_key if r[:20] == NOBODY or r[20:24] in special else registered[r[:20]] for r in rows]


def sidecar(header_hash, levels, rows, salts, data_key, p1):
    keys = reading_keys(rows, data_key)
    derived = {key: hkdf(key, b"ccc/v1/owner", p1, 32) for key in set(keys)}
    entries = [
        ChaCha20Poly1305(derived[key]).encrypt(u96(i), r + s, b"") for i, (key, r, s) in enumerate(zip(keys, rows, salts))
    ]
    inner = b"".join(b"".join(level) for level in levels[:-1])
    return b"CCTS" + u16(1) + header_hash + inner + b"".join(entries), entries


def receipt(request, order_digest, version, outcome, reason, lots, notional, row_index, new_amount):
    out = (
        request + order_digest + u64(version) + u8(outcome) + u8(reason) + u64(lots) + notional.to_bytes(16, "big")
        + u32(row_index) + new_amount.to_bytes(16, "big")
    )
    return out.ljust(128, b"\0")


def auditor_set(version, keys):
    return digest32("auditors", [u64(version)] + keys)


def holdings(header_hash, version, account, places):
    """places: one per asset, (flags, amount, reserved, nonce) or None."""
    out = header_hash + u64(version) + account + u32(len(places))
    for place in places:
        flags, amount, reserved, nonce = place or (0, 0, 0, 0)
        out += u8(1 if place else 0) + u8(0) + u16(flags) + amount.to_bytes(16, "big") + u64(reserved) + u64(nonce)
    return out


def summary(header_hash, version, set_version, set_digest, accounts, rows, frozen_rows, totals):
    out = header_hash + u64(version) + u64(set_version) + set_digest + u64(accounts) + u64(rows) + u64(frozen_rows)
    out += bytes(24) + u32(len(totals))
    return out + b"".join(held.to_bytes(16, "big") + frozen.to_bytes(16, "big") for held, frozen in totals)


def seal_version(Y, p0, fields, data_key, used_rows, random64):
    """Everything one version of the table consists of."""
    capacity = 2 ** fields["tier"]
    rows = used_rows + [bytes(ROW)] * (capacity - len(used_rows))
    body_key, commitment = table_keys(data_key, p0)
    key = salt_key(data_key, p0)
    salts = [salt(key, i) for i in range(capacity)]
    levels = state_levels(rows, salts)
    sealed, aad = seal_chunks(body_key, p0, rows)
    root, leaves = body_root(sealed)
    p1 = p0 + root + commitment + levels[-1][0]
    lab = table_label(fields["chain"], fields["contract"], fields["table"], fields["version"], p1)
    wrapped_full = tdh2.encrypt(Y, lab, data_key, random64)
    wrapped = tdh2.wrap(wrapped_full["wire"])
    header_bytes = p1 + wrapped
    assert (len(p1), len(wrapped), len(header_bytes)) == (219, 216, 435)
    header_hash = keccak256(header_bytes)
    side, entries = sidecar(header_hash, levels, rows, salts, data_key, p1)
    return dict(
        rows=rows, body_key=body_key, key_commitment=commitment, salt_key=key, salts=salts, levels=levels, sealed=sealed, chunk_aad=aad,
        leaves=leaves, body_root=root, state_root=levels[-1][0], P1=p1, table_label=lab, ciphertext=wrapped_full, wrapped=wrapped,
        header=header_bytes, header_hash=header_hash, sidecar=side, entries=entries,
    )
