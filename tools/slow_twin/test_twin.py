"""Checks of the twin itself against outside vectors: python3 -m unittest tools.slow_twin.test_twin"""

import hashlib
import json
import unittest
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import committee, dealing, encoding, evm, hpke, reshare, share
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


class Compact(unittest.TestCase):
    """The committed bytes, which the Rust code reproduces, are read and judged from the bytes alone."""

    file = load("ccc", "compact.json")
    secret = g.decode_scalar(bytes.fromhex(file["enclave_e_secret"]))

    def context(self, case, answer):
        point = lambda text: g.decode(bytes.fromhex(text))
        committee_digest, request, recipient = (bytes.fromhex(x) for x in (self.file["committee"], case["request"], self.file["recipient"]))
        digests, us = [bytes.fromhex(d) for d in case["ct_digests"]], [point(u) for u in case["U"]]
        return [committee_digest, self.file["epoch"], answer["identifier"], point(answer["P"]), request, recipient, digests, us, point(self.file["E"])]

    def test_payloads_verify_and_combine(self):
        for case in self.file["cases"]:
            pairs = {}
            for answer in case["answers"]:
                payload = bytes.fromhex(answer["payload"])
                pairs[answer["identifier"]] = share.verify_compact_payload(*self.context(case, answer), payload)
            for combined in case["combined"]:
                chosen = combined["identifiers"]
                for j, expected in enumerate(combined["pairs"]):
                    A, B = (committee.interpolate_points({i: pairs[i][j][k] for i in chosen}) for k in (0, 1))
                    self.assertEqual((A.encode() + B.encode()).hex(), combined["wire"][128 * j : 128 * (j + 1)])
                    self.assertEqual(share.open_compact(self.secret, A, B).encode().hex(), expected["K"])

    def test_each_partial_decrypts_to_a_share(self):
        for case in self.file["cases"]:
            for answer in case["answers"]:
                x = g.decode_scalar(bytes.fromhex(answer["share"]))
                pairs = share.verify_compact_payload(*self.context(case, answer), bytes.fromhex(answer["payload"]))
                for (A, B), u in zip(pairs, case["U"]):
                    self.assertTrue(share.open_compact(self.secret, A, B) == x * g.decode(bytes.fromhex(u)))

    def test_altered_payloads_are_refused(self):
        case = self.file["cases"][1]
        answer = case["answers"][0]
        payload = bytes.fromhex(answer["payload"])
        context = self.context(case, answer)
        swapped = payload[:64] + payload[288:512] + payload[64:288] + payload[512:]
        for bad in (payload[:-1], payload + b"\0", bytes([payload[0] ^ 1]) + payload[1:], swapped, payload[:-1] + bytes([payload[-1] ^ 1])):
            with self.assertRaises(Exception):
                share.verify_compact_payload(*context, bad)
        for part in (3, 4):
            other = self.context(case, case["answers"][1])
            with self.assertRaises(ValueError):
                share.verify_compact_payload(*context[:part], other[part] if part == 3 else bytes(64), *context[part + 1 :], payload)


class Reshare(unittest.TestCase):
    """The committed handovers, which the Rust code reproduces, are read and judged from their bytes alone."""

    file = load("ccc", "reshare.json")

    def members(self, run):
        member = lambda m: committee.Member(m["identifier"], bytes.fromhex(m["signing_seed"]), g.decode_scalar(bytes.fromhex(m["dealing_secret"])))
        return [member(m) for m in run["members"]]

    def dealings(self, run):
        return [dealing.parse_dealing(bytes.fromhex(d["wire"]), run["n"], run["t"]) for d in run["dealings"]]

    def certificate(self, run, wire, need):
        keys = {m.identifier: m.signing_key for m in self.members(run)}
        session, roster = (bytes.fromhex(run["session"][k]) for k in ("session", "roster"))
        return reshare.verify_certificate(wire, session, roster, run["epoch"], keys, need)

    def test_recorded_dealings_give_the_recorded_shares(self):
        old = {m["identifier"]: g.decode_scalar(bytes.fromhex(m["share"])) * g.BASE for m in self.file["holders"]}
        for run in (self.file["refresh"], self.file["reshare"]):
            parsed = self.dealings(run)
            for d in parsed:
                reshare.require_handed_over(d, old[d["dealer"]])
            counted = reshare.that_count(parsed, 3)
            self.assertEqual([d["dealer"] for d in counted], run["counted"])
            for position, member in enumerate(self.members(run)):
                share = reshare.new_share(counted, position, member)
                self.assertEqual(g.encode_scalar(share).hex(), run["shares"][position]["share"])
            Y, keys = reshare.table(counted, [m.identifier for m in self.members(run)])
            self.assertEqual(Y.encode().hex(), self.file["Y"])
            wire = reshare.committee_wire(run["epoch"], run["t"], Y, self.members(run), keys)
            self.assertEqual(wire.hex(), run["committee_wire"])

    def test_a_dealing_with_another_constant_is_refused(self):
        parsed = self.dealings(self.file["reshare"])[0]
        with self.assertRaises(encoding.Refused):
            reshare.require_handed_over(parsed, g.BASE)

    def test_certificates_verify_and_altered_ones_do_not(self):
        for run in (self.file["refresh"], self.file["reshare"]):
            wire, need = bytes.fromhex(run["certificate"]), run["need"]
            self.assertEqual(self.certificate(run, wire, need).hex(), run["transcript"])
            signed = wire[78:297]
            for bad in (wire[:-1], wire + b"\0", wire[:40] + bytes(32) + wire[72:], wire[:78] + signed[:-1] + b"\0" + wire[297:]):
                with self.assertRaises(encoding.Refused):
                    self.certificate(run, bad, need)
            with self.assertRaises(encoding.Refused):
                self.certificate(run, wire, len(run["confirmations"]) + 1)


class Evm(unittest.TestCase):
    def test_keccak(self):
        self.assertEqual(evm.keccak256(b"").hex(), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
        self.assertEqual(evm.keccak256(b"abc").hex(), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")

    def test_workflow_name(self):
        self.assertEqual(hashlib.sha256(b"my_workflow").hexdigest()[:10].encode().hex(), "62373666336165316465")


if __name__ == "__main__":
    unittest.main()
