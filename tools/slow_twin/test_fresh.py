"""Objects that the Rust code made in this run, from randomness that nobody recorded, verified and opened from their bytes.

    export CCC_FRESH_OBJECTS="$PWD/target/fresh_objects.json"
    cargo test --workspace --test fresh_objects
    python3 -m unittest tools.slow_twin.test_fresh

Each object is also read with one bit changed at a place drawn anew, and has to be refused.
"""

import json
import os
import secrets
import unittest
from pathlib import Path

from cryptography.exceptions import InvalidTag

from . import committee as com
from . import dealing as dl
from . import hpke, reading, reshare, tdh2
from . import ristretto as g
from . import share as sh
from .encoding import *

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
REFUSALS = (Refused, g.DecodeError, InvalidTag)


def unhex(value):
    """The same with every text as bytes."""
    if isinstance(value, dict):
        return {key: unhex(item) for key, item in value.items()}
    return [unhex(item) for item in value] if isinstance(value, list) else bytes.fromhex(value)


def with_one_bit_changed(wire):
    bit = secrets.randbelow(8 * len(wire))
    return bit, wire[: bit // 8] + bytes([wire[bit // 8] ^ 1 << bit % 8]) + wire[bit // 8 + 1 :]


def replaced(objects, path, wire):
    """The same objects with another at this path of keys and places."""
    key, *rest = path
    copy = dict(objects) if isinstance(objects, dict) else list(objects)
    copy[key] = replaced(copy[key], rest, wire) if rest else wire
    return copy


def open_case(case, kind):
    """Everything that a request's answers say: the messages, or a refusal. `answers` are the payloads, by identifier."""
    c, request = reading.committee(case["committee"]), reading.request(case["request"])
    require((request.epoch, request.committee) == (c.epoch, c.digest()), "committee")
    cts = [tdh2.parse_and_verify(c.Y, wire) for wire in case["ciphertexts"]]
    require(request.ct_digests == [ct.digest for ct in cts], "ciphertexts")
    payloads = dict(reading.envelope(w, kind, c.by_identifier, c.digest(), c.epoch, request.digest()) for w in case["envelopes"])
    payloads.update(enumerate(case.get("answers", []), 1))
    require(len(payloads) == c.n, "answers")
    keys = {SHARE: open_shares, COMPOSITE: open_shares, SEALED: open_sealed, COMPACT: open_compact}[kind](case, c, request, cts, payloads)
    return [tdh2.open_with(c.Y, ct, K) for ct, K in zip(cts, keys)]


def verified(c, request, cts, i, recipient, wire):
    prefix = sh.statement_prefix(request.mode, c.digest(), c.epoch, i, c.by_identifier[i].P, request.digest(), recipient)
    if len(cts) == 1:
        return [sh.verify_share(prefix, c.by_identifier[i].P, cts[0].digest, cts[0].U, wire)]
    return sh.verify_composite(prefix, c.by_identifier[i].P, [ct.digest for ct in cts], [ct.U for ct in cts], wire)


def combined(c, shares, j):
    """The point of ciphertext j out of the t smallest identifiers, which is that out of the t largest."""
    ascending = sorted(shares)
    first, last = (com.interpolate_points({i: shares[i][j] for i in chosen}) for chosen in (ascending[: c.t], ascending[-c.t :]))
    require(first == last, "two sets of shares")
    return first


def open_shares(case, c, request, cts, payloads, recipient=b""):
    shares = {i: verified(c, request, cts, i, recipient, payload) for i, payload in payloads.items()}
    return [combined(c, shares, j) for j in range(len(cts))]


def read_recipient(case):
    (x, e), (X, E, measurement, _) = reading.attempt_keys(case["attempt_keys"]), reading.recipient(case["recipient"])
    require((hpke.public_key(x), e * g.BASE) == (X, E), "recipient")
    return x, e, E, measurement, com.recipient_digest(X, E, measurement)


def open_sealed(case, c, request, cts, payloads):
    x, _, _, measurement, digest = read_recipient(case)
    info = hpke.sealed_info(request.digest())
    aad = lambda i: hpke.sealed_aad(request.ct_digests, i, c.epoch, c.digest(), measurement, request.deadline)
    shares = {i: hpke.open_wire(x, info, aad(i), wire) for i, wire in payloads.items()}
    return open_shares(case, c, request, cts, shares, digest)


def open_compact(case, c, request, cts, payloads):
    _, e, E, _, digest = read_recipient(case)
    Us = [ct.U for ct in cts]
    context = lambda i: (c.digest(), c.epoch, i, c.by_identifier[i].P, request.digest(), digest, request.ct_digests, Us, E)
    pairs = {i: sh.verify_compact_payload(*context(i), payload) for i, payload in payloads.items()}
    require(len(case["combined"]) == 64 * len(cts), "length")
    keys = []
    for j in range(len(cts)):
        A, B = (g.decode(case["combined"][64 * j + at : 64 * j + at + 32]) for at in (0, 32))
        shares = {i: [sh.open_compact(e, *pair) for pair in of] for i, of in pairs.items()}
        keys.append(sh.open_compact(e, A, B))
        tdh2.open_with(c.Y, cts[j], combined(c, shares, j))
    return keys


def check_generation(objects):
    """Dealings, confirmations and shares of the key generation lead to the committee."""
    c, run = reading.committee(objects["committee"]), objects["generation"]
    roster, session = c.roster(), com.session(dl.DKG, b"", c.roster(), run["board_nonce"])
    posted = dict(reading.envelope(w, DEALING, c.by_identifier, roster, c.epoch, session) for w in run["opened"])
    posted.update(enumerate(run.get("dealings", []), 1))
    dealings = []
    for dealer, wire in sorted(posted.items()):
        d = dl.parse_dealing(wire, c.n, c.t)
        require((d["protocol"], d["session"], d["epoch"], d["roster"], d["dealer"]) == (dl.DKG, session, c.epoch, roster, dealer), "context")
        dl.verify_dealing(d)
        dealings.append(dict(d, commitment_digest=digest32("dealing-commitment", wire)))
    columns = [sum(column, g.IDENTITY) for column in zip(*(d["commitments"] for d in dealings))]
    keys = [(i, com.public_polynomial(columns, i)) for i in c.by_identifier]
    require(columns[0] == c.Y and all(P == c.by_identifier[i].P for i, P in keys), "keys")
    for position, (line, keys_wire, share_wire) in enumerate(zip(c.members, run["participant_keys"], run["key_shares"])):
        member = reading.participant_keys(keys_wire, line.identifier)
        require((member.signing_key, member.dealing_key) == (line.signing_key, line.dealing_key), "participant's keys")
        share = sum(reshare.open_share(d, position, member) for d in dealings) % g.L
        require(g.encode_scalar(share) == share_wire[-32:], "key share")
    transcript = dl.transcript(dl.DKG, session, c.epoch, roster, dealings, c.Y, keys)
    said = dict(reading.envelope(w, DEALING, c.by_identifier, roster, c.epoch, session) for w in run["confirmed"])
    require(said == {i: u8(reshare.CONFIRMATION) + transcript for i in c.by_identifier}, "confirmations")
    return [wire for _, wire in sorted(posted.items())]


def check_complaint(wire):
    """A complaint about the recorded dealing with a wrong share for member 4."""
    file = json.loads(VECTORS.joinpath("ccc", "complaint.json").read_text())
    d = dl.parse_dealing(bytes.fromhex(file["dealing"]["wire"]), file["n"], file["t"])
    require(len(wire) == 128, "length")
    require(dl.decide(d, 4, d["ciphertexts"][3], g.decode(bytes.fromhex(file["cases"][0]["pk"])), wire) == "dealer", "accuser")


class Fresh(unittest.TestCase):
    objects = unhex(json.loads(Path(os.environ["CCC_FRESH_OBJECTS"]).read_text()))

    def require_refused(self, check, objects, path):
        wire = objects
        for key in path:
            wire = wire[key]
        bit, changed = with_one_bit_changed(wire)
        with self.subTest(path=path, bit=bit), self.assertRaises(REFUSALS):
            check(replaced(objects, path, changed))

    def cases(self, name, kinds):
        for case, kind in zip(self.objects[name], kinds, strict=True):
            yield dict(case, committee=self.objects["committee"]), kind

    def check_cases(self, name, kinds, *more):
        for case, kind in self.cases(name, kinds):
            with self.subTest(m=len(case["messages"])):
                self.assertEqual(open_case(case, kind), case["messages"])
            # The payloads again without their signatures, so that their own proofs have to refuse what is changed.
            members = reading.committee(case["committee"]).members
            answers = [dl.verify_envelope(kind, m.signing_key, w)[4] for m, w in zip(members, case["envelopes"], strict=True)]
            case["answers"] = answers
            places = [("envelopes", 0), ("answers", len(answers) - 1), ("ciphertexts", 0), ("committee",), ("request",), *more]
            for path in places:
                self.require_refused(lambda objects: open_case(objects, kind), case, path)

    def test_shares_in_the_clear(self):
        self.check_cases("public", (SHARE, COMPOSITE))

    def test_sealed_shares(self):
        self.check_cases("sealed", (SEALED, SEALED), ("recipient",))

    def test_compact_partials_and_their_combinations(self):
        self.check_cases("compact", (COMPACT, COMPACT), ("recipient",), ("combined",))

    def test_key_generation(self):
        dealings = check_generation(self.objects)
        self.require_refused(check_generation, self.objects, ("generation", "opened", 0))
        self.require_refused(check_generation, self.objects, ("generation", "confirmed", 0))
        # Without the dealer's signature: the dealing's own proofs and the session refuse.
        unsigned = replaced(self.objects, ("generation", "dealings"), dealings)
        for place in range(len(dealings)):
            self.require_refused(check_generation, unsigned, ("generation", "dealings", place))

    def test_complaint(self):
        check_complaint(self.objects["complaint"])
        self.require_refused(lambda objects: check_complaint(objects["complaint"]), self.objects, ("complaint",))


def snapshot(name):
    return bytes.fromhex("".join(VECTORS.joinpath("snapshots", f"{name}.hex").read_text().split()))


class Snapshots(unittest.TestCase):
    """The snapshots that the Rust code made and that the twin can read."""

    def test_requests_name_the_committee(self):
        c = reading.committee(snapshot("committee"))
        for name, table in (("request", b""), ("request_with_table", bytes([6]) * 32)):
            request = reading.request(snapshot(name))
            self.assertEqual((request.epoch, request.committee, request.table_header_hash), (c.epoch, c.digest(), table))

    def test_the_recipient_has_the_keys_of_the_attempt(self):
        x, e = reading.attempt_keys(snapshot("attempt_keys"))
        X, E, measurement, evidence = reading.recipient(snapshot("recipient"))
        self.assertEqual((hpke.public_key(x), e * g.BASE, measurement), (X, E, bytes([7]) * 32))
        self.assertEqual(evidence, snapshot("evidence"))


if __name__ == "__main__":
    unittest.main()
