"""Vectors of the vault: encodings, ciphertexts, committees, shares, dealings, envelopes."""

from . import committee as com
from . import dealing as dl
from . import fixture as fx
from . import hpke, tdh2
from . import ristretto as g
from . import share as sh
from .encoding import *


def refuses(function, *args):
    try:
        function(*args)
    except Exception as error:
        return str(error) or type(error).__name__
    raise AssertionError("accepted")


def encoding():
    lists = [b"a", [b"bc", [b"", b"d"]]]
    hashes = [("test", []), ("test", [b""]), ("test", [b"a", b"bc", b"", b"d"]), ("test", [b"abc", b"", b"d"])]
    assert H("test", *lists) == H("test", b"a", b"bc", b"", b"d")
    buckets = []
    sizes = (0, 1, 59, 60, 61, 124, 125, 252, 253, 508, 509, 1020, 65532, 65533, 131068, 131069, 16 * 2**20 - 4)
    for kind in (PUBLIC, RECIPIENT):
        buckets += [dict(kind=kind, message_length=n, padded_length=bucket(4 + n, kind), wire_length=bucket(4 + n, kind) + 313) for n in sizes]
    fields = dict(
        kind=RECIPIENT, chain=fx.CHAIN, contract=fx.CONTRACT, id=fx.request_ids()[1], version=1, requester=fx.REQUESTER,
        expiry=fx.DEADLINE, context=bytes(32),
    )
    return dict(
        suite=SUITE, suite_bytes=S,
        lp=[dict(input=x, output=lp(x)) for x in (b"", b"a", bytes(300))],
        hash=[
            dict(label=name, inputs=xs, preimage=hash_input(name, *xs), h=H(name, *xs), digest32=digest32(name, *xs), scalar=challenge(name, *xs))
            for name, xs in hashes
        ],
        digest_bytes=[dict(input=x, output=digest_bytes(x)) for x in (b"", b"abc")],
        hkdf=[dict(ikm=fx.fixed32("hkdf"), salt=b"ccc/v1/kem", info=b"info", length=n, output=hkdf(fx.fixed32("hkdf"), b"ccc/v1/kem", b"info", n)) for n in (16, 32, 64)],
        second_generator=dict(h=H("second generator", S), point=SECOND),
        nonce=dict(
            random64=fx.fixed64("nonce"), secret=fx.fixed_scalar("nonce secret"), statement=[b"one", b"", b"two"], index=1,
            scalar=proof_nonce(fx.fixed64("nonce"), fx.fixed_scalar("nonce secret"), [b"one", b"", b"two"], 1),
        ),
        headers=[dict(kind=k, header=header(k)) for k in range(1, 8)],
        labels=[dict(**fields, label=label(**fields)), dict(label=fx.label_public()), dict(label=fx.label_table())],
        padding=dict(
            buckets=buckets,
            examples=[dict(kind=k, message=m, padded=pad(m, k)) for k, m in ((PUBLIC, b""), (PUBLIC, b"x" * 60), (PUBLIC, b"x" * 61), (RECIPIENT, b"y"), (TABLE_KEY, bytes(range(32))))],
            refused=[
                dict(kind=k, padded=p, reason=refuses(unpad, p, k))
                for k, p in (
                    (PUBLIC, u32(3) + b"abc" + bytes(56) + b"\1"), (PUBLIC, u32(3) + b"abc" + bytes(121)), (PUBLIC, u32(61) + bytes(60)),
                    (RECIPIENT, u32(3) + b"abc" + bytes(57)), (PUBLIC, bytes(96)), (TABLE_KEY, bytes(64)), (PUBLIC, u32(2**32 - 1) + bytes(60)),
                )
            ],
        ),
    )


def ciphertext():
    Y = fx.committee_a().Y
    head, lab = header(CIPHERTEXT), fx.label_recipient()
    r = fx.fixed_scalar("kem r")
    U, Ubar, K = r * g.BASE, r * SECOND, r * Y
    k, c, info = tdh2.kem(K, head, Y, U, Ubar, lab)
    cases = []
    for name in ("public", "recipient", "recipient-2", "recipient-3", "table-key"):
        v = fx.ciphertext(name)
        parsed = tdh2.parse_and_verify(Y, v["wire"])
        assert parsed.digest == v["ct_digest"] and tdh2.open_with(Y, parsed, v["K"]) == v["message"]
        cases.append(dict(name=name, **v, wire_length=len(v["wire"])))
    wire = fx.ciphertext("table-key")["wire"]
    assert len(tdh2.wrap(wire)) == 216 and tdh2.unwrap(tdh2.wrap(wire), fx.label_table()) == wire
    return dict(
        master_secret=g.encode_scalar(fx.committee_a().coefficients[0]), Y=Y,
        kem=dict(header=head, label=lab, r=r, U=U, Ubar=Ubar, K=K, info=info, k=k, c=c),
        cases=cases, wrapped=dict(label=fx.label_table(), wire=wire, wrapped=tdh2.wrap(wire)),
    )


def ciphertext_refused():
    Y, base = fx.committee_a().Y, fx.ciphertext("recipient")
    wire = base["wire"]

    def put(at, data):
        return wire[:at] + data + wire[at + len(data) :]

    def flip(at):
        return put(at, bytes([wire[at] ^ 1]))

    def authored(lab, padded, r, s=fx.fixed_scalar("refused s")):
        return tdh2.encrypt_with(Y, lab, padded, r, s)["wire"]

    def with_label(kind, expiry):
        return label(kind, fx.CHAIN, fx.CONTRACT, fx.request_ids()[1], 1, fx.REQUESTER, expiry, bytes(32))

    r = fx.fixed_scalar("refused r")
    small, good = pad(b"small", PUBLIC), pad(b"good", RECIPIENT)
    e, f = (int.from_bytes(wire[k:][:32], "little") for k in (len(wire) - 64, len(wire) - 32))
    cases = {
        "magic": flip(0), "version": put(2, b"\2"), "kind": put(3, b"\2"), "suite": put(4, u16(2)), "reserved": flip(7),
        "label changed": flip(140 - 8), "U not canonical": put(137, b"\xff" * 32), "U is zero": authored(fx.label_recipient(), good, 0),
        "Ubar changed": put(169, g.BASE.encode()), "c changed": flip(201), "body changed": flip(240), "tag changed": flip(len(wire) - 65),
        "e changed": flip(len(wire) - 64), "f changed": flip(len(wire) - 32),
        "e not canonical": put(len(wire) - 64, (e + g.L).to_bytes(32, "little")),
        "f not canonical": put(len(wire) - 32, (f + g.L).to_bytes(32, "little")),
        "trailing byte": wire + b"\0", "truncated": wire[:-1], "empty": b"", "header only": wire[:8],
        "label kind 0": authored(with_label(0, 1), good, r), "label kind 4": authored(with_label(4, 1), good, r),
        "expiry 0 for recipient": authored(with_label(RECIPIENT, 0), good, r),
        "bucket below the recipient minimum": authored(fx.label_recipient(), small, r),
        "length that no padding gives": authored(fx.label_recipient(), good + bytes(64), r),
        "table key of 64 bytes": authored(fx.label_table(), bytes(64), r),
    }
    verify = [dict(name=n, wire=w, reason=refuses(tdh2.parse_and_verify, Y, w)) for n, w in cases.items()]
    opens = {
        "bucket too large": u32(4) + b"good" + bytes(504), "non-zero padding": good[:-1] + b"\1", "length beyond the end": u32(253) + bytes(252),
    }
    opened = []
    for name, padded in opens.items():
        v = tdh2.encrypt_with(Y, fx.label_recipient(), padded, r, fx.fixed_scalar("refused s"))
        parsed = tdh2.parse_and_verify(Y, v["wire"])
        opened.append(dict(name=name, wire=v["wire"], K=v["K"], reason=refuses(tdh2.open_with, Y, parsed, v["K"])))
    bad = dict(base)
    head, lab = bad["header"], bad["label"]
    c = fx.fixed32("wrong commitment")
    aad = tdh2.body_aad(head, lab, bad["U"], bad["Ubar"], c)
    body = tdh2.ChaCha20Poly1305(bad["k"]).encrypt(tdh2.NONCE0, bad["padded"], aad)
    e = tdh2.proof_challenge(head, Y, bad["U"], bad["Ubar"], c, body, lab, bad["W"], bad["Wbar"])
    f = (bad["s"] + e * bad["r"]) % g.L
    w = head + lab + bad["U"].encode() + bad["Ubar"].encode() + c + body + g.encode_scalar(e) + g.encode_scalar(f)
    parsed = tdh2.parse_and_verify(Y, w)
    opened.append(dict(name="key commitment wrong, proof right", wire=w, K=bad["K"], reason=refuses(tdh2.open_with, Y, parsed, bad["K"])))
    return dict(Y=Y, refused_by_verify=verify, verified_but_refused_by_open=opened)


def one_committee(c):
    some = list(range(1, c.t + 1))
    last = list(range(c.n - c.t + 1, c.n + 1))
    for chosen in (some, last):
        points = {i: c.members[i - 1].P for i in chosen}
        assert com.interpolate_points(points) == c.Y
    assert all(com.public_polynomial(c.commitments, m.identifier) == m.P for m in c.members)
    return dict(
        epoch=c.epoch, t=c.t, n=c.n, coefficients=c.coefficients, commitments=c.commitments, Y=c.Y,
        members=[
            dict(identifier=m.identifier, share=m.share, P=m.P, signing_seed=m.signing_seed, signing_key=m.signing_key, dealing_secret=m.dealing_secret, dealing_key=m.dealing_key)
            for m in c.members
        ],
        lagrange=[dict(identifiers=ids, lagrange=[com.lagrange_at_zero(i, ids) for i in ids]) for ids in (some, last)],
        roster=c.roster(), committee=c.digest(), mask=com.mask(c),
    )


def committee():
    return dict(cases=[one_committee(fx.committee_a()), one_committee(fx.committee_b())])


def request():
    cases = []
    for name, mode, names, table in (
        ("public, one", MODE_PUBLIC, ["public"], False), ("sealed, one", MODE_SEALED, ["recipient"], False),
        ("sealed, three, with table", MODE_SEALED, ["recipient", "recipient-2", "recipient-3"], True), ("compact, one", MODE_COMPACT, ["recipient"], False),
        ("compact, three", MODE_COMPACT, ["recipient", "recipient-2", "recipient-3"], False),
    ):
        cases.append(dict(name=name, **fx.request_fields(mode, names, table), m=len(names), request=fx.request(mode, *names, table=table)))
    salt = fx.fixed32("salt/0")
    return dict(
        request_id=dict(chain=fx.CHAIN, contract=fx.CONTRACT, requester=fx.REQUESTER, salt=salt, request_id=fx.request_ids()[0]),
        requests=cases,
        recipient=dict(
            x_ikm=fx.ENCLAVE_IKM, x_secret=fx.ENCLAVE_X_SECRET, X=fx.ENCLAVE_X, enclave_e_secret=fx.ENCLAVE_E_SECRET, E=fx.enclave_e(),
            measurement=fx.MEASUREMENT, recipient=fx.recipient(),
        ),
        user_data=dict(E=fx.enclave_e(), X=fx.ENCLAVE_X, request=cases[1]["request"], user_data=com.user_data(fx.enclave_e(), fx.ENCLAVE_X, cases[1]["request"])),
    )


def prefix_for(member, mode, req):
    c = fx.committee_a()
    return sh.statement_prefix(mode, c.digest(), c.epoch, member.identifier, member.P, req, b"" if mode == MODE_PUBLIC else fx.recipient())


def single_share(member, mode, name, req):
    v = fx.ciphertext(name)
    prefix, rnd = prefix_for(member, mode, req), fx.fixed64(f"share/{name}/{member.identifier}")
    made = sh.make_share(prefix, member.share, v["ct_digest"], v["U"], rnd)
    assert sh.verify_share(prefix, member.P, v["ct_digest"], v["U"], made["wire"]) == made["D"]
    statement = sh.share_statement(prefix, v["ct_digest"], v["U"], made["D"])
    return dict(
        mode=mode, committee=fx.committee_a().digest(), epoch=fx.EPOCH, identifier=member.identifier, share=member.share, P=member.P, request=req,
        recipient=prefix[-1], ct_digest=v["ct_digest"], U=v["U"], random64=rnd, statement=list(flatten(statement)), **made,
    )


def share():
    c = fx.committee_a()
    public_request, sealed_request = fx.request(MODE_PUBLIC, "public"), fx.request(MODE_SEALED, "recipient")
    public = [single_share(m, MODE_PUBLIC, "public", public_request) for m in c.members]
    v = fx.ciphertext("public")
    combines = []
    for ids in ([1, 2, 3], [1, 3, 5], [3, 4, 5]):
        K = com.interpolate_points({i: public[i - 1]["D"] for i in ids})
        assert K == v["K"]
        combines.append(dict(identifiers=ids, K=K, message=tdh2.open_with(c.Y, tdh2.parse_and_verify(c.Y, v["wire"]), K)))
    return dict(
        public=public, sealed=[single_share(c.members[1], MODE_SEALED, "recipient", sealed_request)], combine=combines,
        composite=[composite(c.members[k]) for k in (0, 3)],
    )


def composite(member):
    names = ["recipient", "recipient-2", "recipient-3"]
    req = fx.request(MODE_SEALED, *names, table=True)
    vs = [fx.ciphertext(n) for n in names]
    digests, Us = [v["ct_digest"] for v in vs], [v["U"] for v in vs]
    prefix, rnd = prefix_for(member, MODE_SEALED, req), fx.fixed64(f"composite/{member.identifier}")
    made = sh.make_composite(prefix, member.share, digests, Us, rnd)
    assert sh.verify_composite(prefix, member.P, digests, Us, made["wire"]) == made["D"]
    return dict(
        mode=MODE_SEALED, committee=fx.committee_a().digest(), epoch=fx.EPOCH, identifier=member.identifier, share=member.share, P=member.P, request=req,
        recipient=prefix[-1], m=3, ct_digests=digests, U=Us, random64=rnd, **made,
    )


def sealed_case(name, made, digests, member, req, plaintext_kind):
    ikm = fx.fixed32(f"hpke ephemeral/{name}")
    info = hpke.sealed_info(req)
    aad = hpke.sealed_aad(digests, member.identifier, fx.EPOCH, fx.committee_a().digest(), fx.MEASUREMENT, fx.DEADLINE)
    secret = hpke.derive_secret(ikm)
    out = hpke.seal(fx.ENCLAVE_X, secret, info, aad, made["wire"])
    assert hpke.open_wire(fx.ENCLAVE_X_SECRET, info, aad, out["wire"]) == made["wire"]
    return dict(
        name=name, plaintext_is=plaintext_kind, identifier=member.identifier, epoch=fx.EPOCH, committee=fx.committee_a().digest(), measurement=fx.MEASUREMENT,
        deadline=fx.DEADLINE, ct_digests=digests, request=req, info=info, aad=aad, plaintext=made["wire"], ephemeral_ikm=ikm, ephemeral_secret=secret, **out,
    )


def sealed():
    one, member = single_share(fx.committee_a().members[1], MODE_SEALED, "recipient", fx.request(MODE_SEALED, "recipient")), fx.committee_a().members[1]
    many, other = composite(fx.committee_a().members[3]), fx.committee_a().members[3]
    return dict(
        kem_id=hpke.KEM_ID, kdf_id=hpke.KDF_ID, aead_id=hpke.AEAD_ID, x_secret=fx.ENCLAVE_X_SECRET, X=fx.ENCLAVE_X,
        cases=[
            sealed_case("one ciphertext", one, [one["ct_digest"]], member, one["request"], "share wire"),
            sealed_case("three ciphertexts", many, many["ct_digests"], other, many["request"], "composite wire"),
        ],
        refused=sealed_refused(sealed_case("one ciphertext", one, [one["ct_digest"]], member, one["request"], "share wire"), other),
    )


def sealed_refused(case, other):
    """The first case opened under a changed context, a changed wire, or another key."""
    base = dict(
        ct_digests=case["ct_digests"], identifier=case["identifier"], epoch=case["epoch"], committee=case["committee"], measurement=case["measurement"],
        deadline=case["deadline"], request=case["request"], x_secret=fx.ENCLAVE_X_SECRET, wire=case["wire"],
    )
    w = base["wire"]
    changes = {
        "another ciphertext": dict(ct_digests=[fx.ciphertext("recipient-2")["ct_digest"]]), "another participant": dict(identifier=other.identifier),
        "another epoch": dict(epoch=fx.EPOCH + 1), "another committee": dict(committee=fx.committee_b().digest()), "another measurement": dict(measurement=bytes(48)),
        "another deadline": dict(deadline=fx.DEADLINE + 1), "another request": dict(request=fx.request(MODE_PUBLIC, "public")),
        "another key": dict(x_secret=hpke.derive_secret(fx.fixed32("another X"))), "enc changed": dict(wire=bytes([w[0] ^ 1]) + w[1:]),
        "ciphertext changed": dict(wire=w[:32] + bytes([w[32] ^ 1]) + w[33:]), "enc of low order": dict(wire=bytes(32) + w[32:]), "truncated": dict(wire=w[:-1]),
    }
    out = []
    for name, change in changes.items():
        k = {**base, **change}
        info, aad = hpke.sealed_info(k["request"]), hpke.sealed_aad(k["ct_digests"], k["identifier"], k["epoch"], k["committee"], k["measurement"], k["deadline"])
        refuses(hpke.open_wire, k["x_secret"], info, aad, k["wire"])
        out.append(dict(name=name, **k))
    return out


def compact_refused(partial):
    c, v, other = fx.committee_a(), fx.ciphertext("recipient"), fx.ciphertext("recipient-2")
    w = partial["wire"]
    zero = bytes(32)
    z = [int.from_bytes(w[k : k + 32], "little") for k in (160, 192)]
    base = dict(
        committee=c.digest(), epoch=c.epoch, identifier=partial["identifier"], P=partial["P"], request=fx.request(MODE_COMPACT, "recipient"), recipient=fx.recipient(),
        ct_digest=v["ct_digest"], U=v["U"], E=fx.enclave_e(), wire=w,
    )
    changes = {
        "committee": dict(committee=fx.committee_b().digest()), "epoch": dict(epoch=c.epoch + 1), "identifier": dict(identifier=1), "P": dict(P=c.members[0].P),
        "request": dict(request=fx.request(MODE_SEALED, "recipient")), "recipient": dict(recipient=bytes(64)), "ct_digest": dict(ct_digest=other["ct_digest"]),
        "U": dict(U=other["U"]), "E": dict(E=g.BASE), "E is zero": dict(E=g.IDENTITY), "A replaced": dict(wire=g.BASE.encode() + w[32:]),
        "B replaced": dict(wire=w[:32] + g.BASE.encode() + w[64:]), "B is zero": dict(wire=w[:32] + zero + w[64:]), "T_P replaced": dict(wire=w[:64] + zero + w[96:]),
        "T_A replaced": dict(wire=w[:96] + zero + w[128:]), "T_B replaced": dict(wire=w[:128] + zero + w[160:]),
        "z1 plus one": dict(wire=w[:160] + g.encode_scalar(z[0] + 1) + w[192:]), "z2 plus one": dict(wire=w[:192] + g.encode_scalar(z[1] + 1)),
        "z2 not canonical": dict(wire=w[:192] + (z[1] + g.L).to_bytes(32, "little")), "trailing byte": dict(wire=w + b"\0"), "truncated": dict(wire=w[:-1]),
    }
    out = []
    for name, change in changes.items():
        k = {**base, **change}
        out.append(dict(name=name, **k, reason=refuses(sh.verify_compact, *k.values())))
    return out


def compact_answer(member, names, req):
    c, rnd = fx.committee_a(), fx.fixed64(f"compact/{len(names)}/{member.identifier}")
    vs = [fx.ciphertext(name) for name in names]
    context = (c.digest(), c.epoch, member.identifier)
    partials = [sh.make_compact(*context, member.share, req, fx.recipient(), v["ct_digest"], v["U"], fx.enclave_e(), rnd) for v in vs]
    payload = fx.recipient() + b"".join(p["wire"] for p in partials)
    pairs = sh.verify_compact_payload(*context, member.P, req, fx.recipient(), [v["ct_digest"] for v in vs], [v["U"] for v in vs], fx.enclave_e(), payload)
    assert pairs == [(p["A"], p["B"]) for p in partials]
    return dict(identifier=member.identifier, share=member.share, P=member.P, random64=rnd, partials=partials, payload=payload)


def compact_combination(answers, chosen, names):
    """(A, B) and K of each ciphertext from the answers of the chosen identifiers."""
    out = []
    for j, name in enumerate(names):
        A, B = (com.interpolate_points({a["identifier"]: a["partials"][j][key] for a in answers if a["identifier"] in chosen}) for key in "AB")
        K = sh.open_compact(fx.ENCLAVE_E_SECRET, A, B)
        assert K == fx.ciphertext(name)["K"]
        out.append(dict(A=A, B=B, K=K))
    return dict(identifiers=chosen, pairs=out, wire=b"".join(p["A"].encode() + p["B"].encode() for p in out))


def compact_case(title, names):
    c, req = fx.committee_a(), fx.request(MODE_COMPACT, *names)
    vs = [fx.ciphertext(name) for name in names]
    answers = [compact_answer(m, names, req) for m in c.members]
    return dict(
        name=title, request=req, m=len(names), ct_digests=[v["ct_digest"] for v in vs], U=[v["U"] for v in vs], answers=answers,
        combined=[compact_combination(answers, chosen, names) for chosen in ([1, 2, 3], [2, 3, 4], [1, 3, 5])],
    )


def compact_tampered(one, three):
    """Pairs that somebody changed on their way to the enclave; only a re-randomised pair still opens."""
    v, E, secret = fx.ciphertext("recipient"), fx.enclave_e(), fx.ENCLAVE_E_SECRET
    pair, other = one["combined"][0]["pairs"][0], three["combined"][0]["pairs"][1]
    A, B, X, z = pair["A"], pair["B"], fx.fixed_scalar("tamper X") * g.BASE, fx.fixed_scalar("tamper z")
    points = {a["identifier"]: (a["partials"][0]["A"], a["partials"][0]["B"]) for a in one["answers"][:2]}
    points[3] = tuple(three["answers"][2]["partials"][1][key] for key in "AB")
    mixed = [com.interpolate_points({i: p[k] for i, p in points.items()}) for k in (0, 1)]
    changes = {
        "re-randomised": (A + z * E, B + z * g.BASE), "A shifted": (A + X, B), "B shifted": (A, B + X), "both shifted": (A + X, B + X),
        "A and B exchanged": (B, A), "the pair of another ciphertext": (other["A"], other["B"]), "one partial of another ciphertext": tuple(mixed),
        "share in the clear": (A - secret * B, g.BASE),
    }
    parsed, out = tdh2.parse_and_verify(fx.committee_a().Y, v["wire"]), []
    for name, (a, b) in changes.items():
        K = sh.open_compact(secret, a, b)
        opens = K == v["K"]
        if opens:
            assert tdh2.open_with(fx.committee_a().Y, parsed, K) == v["message"]
        else:
            refuses(tdh2.open_with, fx.committee_a().Y, parsed, K)
        out.append(dict(name=name, wire=a.encode() + b.encode(), K=K, opens=opens))
    zero = A.encode() + bytes(32)
    refuses(sh.open_compact, secret, A, g.decode(bytes(32)))
    return dict(ct_digest=v["ct_digest"], message=v["message"], cases=out, zero=zero)


def compact():
    c = fx.committee_a()
    one, three = compact_case("one ciphertext", ["recipient"]), compact_case("three ciphertexts", ["recipient", "recipient-2", "recipient-3"])
    first = dict(one["answers"][1], wire=one["answers"][1]["partials"][0]["wire"])
    return dict(
        committee=c.digest(), epoch=c.epoch, recipient=fx.recipient(), enclave_e_secret=fx.ENCLAVE_E_SECRET, E=fx.enclave_e(), cases=[one, three],
        refused=compact_refused(first), tampered=compact_tampered(one, three),
    )
