"""Checks of the twin itself against outside vectors: python3 -m unittest tools.slow_twin.test_twin"""

import hashlib
import json
import unittest
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import committee, encoding, evm, hpke
from . import ristretto as g

VECTORS = Path(__file__).resolve().parents[2] / "vectors"


def load(*parts):
    return json.loads(VECTORS.joinpath(*parts).read_text())


class Ristretto(unittest.TestCase):
    vectors = load("rfc9496-ristretto255", "ristretto255.json")

    def test_multiples(self):
        for k, expected in enumerate(self.vectors["multiples_of_generator"]):
            self.assertEqual((k * g.BASE).encode().hex(), expected)
            self.assertTrue(g.decode(bytes.fromhex(expected)) == k * g.BASE)

    def test_refused(self):
        for encoding in self.vectors["refused_encodings"]:
            with self.assertRaises(g.DecodeError):
                g.decode(bytes.fromhex(encoding))

    def test_derivation(self):
        for data, expected in self.vectors["derivation"]:
            self.assertEqual(g.from_uniform(bytes.fromhex(data)).encode().hex(), expected)

    def test_order(self):
        self.assertTrue(((g.L - 1) * g.BASE + g.BASE).is_identity())


class Hashing(unittest.TestCase):
    def test_hash_by_hand(self):
        preimage = bytes.fromhex("0000000b") + b"ccc/v1/test" + bytes.fromhex("00000002" "00000001") + b"a" + bytes(4)
        self.assertEqual(encoding.H("test", b"a", b""), hashlib.sha512(preimage).digest())

    def test_hkdf(self):
        for length in (16, 32, 64, 200):
            theirs = HKDF(hashes.SHA512(), length, b"ccc/v1/kem", b"info").derive(b"input")
            self.assertEqual(encoding.hkdf(b"input", b"ccc/v1/kem", b"info", length), theirs)


class Shamir(unittest.TestCase):
    def test_frost_shares(self):
        inputs = load("rfc9591-frost", "frost-ristretto255-sha512.json")["inputs"]
        scalar = lambda text: g.decode_scalar(bytes.fromhex(text))
        coefficients = [scalar(inputs["group_secret_key"])] + [scalar(c) for c in inputs["share_polynomial_coefficients"]]
        self.assertEqual((coefficients[0] * g.BASE).encode().hex(), inputs["group_public_key"])
        for entry in inputs["participant_shares"]:
            self.assertEqual(committee.evaluate(coefficients, entry["identifier"]), scalar(entry["participant_share"]))


class Hpke(unittest.TestCase):
    def test_base_mode(self):
        seen = 0
        for v in load("rfc9180-hpke", "hpke-rfc9180-x25519-p256-hkdfsha256.json"):
            if [int(v[k]) for k in ("mode", "kem_id", "kdf_id", "aead_id")] != [0, hpke.KEM_ID, hpke.KDF_ID, hpke.AEAD_ID]:
                continue
            seen += 1
            b = {k: bytes.fromhex(x) for k, x in v.items() if isinstance(x, str) and k not in ("mode", "kem_id", "kdf_id", "aead_id", "encryptions_total_in_source")}
            self.assertEqual(hpke.derive_secret(b["ikmE"]), b["skEm"])
            self.assertEqual(hpke.derive_secret(b["ikmR"]), b["skRm"])
            first = v["encryptions"][0]
            out = hpke.seal(b["pkRm"], b["skEm"], b["info"], bytes.fromhex(first["aad"]), bytes.fromhex(first["pt"]))
            for ours, theirs in (("enc", "enc"), ("shared_secret", "shared_secret"), ("key", "key"), ("base_nonce", "base_nonce")):
                self.assertEqual(out[ours], b[theirs])
            self.assertEqual(out["ciphertext"].hex(), first["ct"])
        self.assertEqual(seen, 1)


class Evm(unittest.TestCase):
    def test_keccak(self):
        self.assertEqual(evm.keccak256(b"").hex(), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
        self.assertEqual(evm.keccak256(b"abc").hex(), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")

    def test_workflow_name(self):
        self.assertEqual(hashlib.sha256(b"my_workflow").hexdigest()[:10].encode().hex(), "62373666336165316465")


if __name__ == "__main__":
    unittest.main()
