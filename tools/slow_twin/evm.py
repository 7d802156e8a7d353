"""keccak-256 and the few ABI words that the formats need."""

from Crypto.Hash import keccak


def keccak256(data):
    return keccak.new(digest_bits=256, data=data).digest()


def word(value):
    """One static ABI word: int (two's complement when negative), bool, 20-byte address, or bytes32."""
    if isinstance(value, (bool, int)):
        return (int(value) % 2**256).to_bytes(32, "big")
    if len(value) == 20:
        return value.rjust(32, b"\0")
    assert len(value) == 32
    return value


def words(*values):
    return b"".join(map(word, values))


def request_id(chain, contract, requester, salt):
    return keccak256(words(chain, contract, requester, salt))
